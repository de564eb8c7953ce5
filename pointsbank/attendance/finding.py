"""What is found out about a scan before it is judged: the code, the person, the shift, the
marks."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row
from sqlalchemy.orm import Session

from pointsbank.attendance.codes import Sight, look_at, typed_number
from pointsbank.attendance.digits import fit_of_digits
from pointsbank.attendance.models import Pair
from pointsbank.attendance.policy import (
    ATTENDING_KINDS,
    REPEAT_SECONDS,
    Case,
    Judgement,
    Rules,
    metres_between,
)
from pointsbank.attendance.queries import (
    Subject,
    claimed_shifts,
    facts_of,
    first_mark,
    pairs_of,
    trees_of,
    was_asked_to_confirm,
)
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import local_day, midnight
from pointsbank.core.keys import keyed_hash
from pointsbank.members.errors import CardNotFound, MemberSuspended
from pointsbank.members.queries import member_id_of_number
from pointsbank.members.showing import member_of_card
from pointsbank.tasks.eligibility import Fitness, both, judge_eligibility
from pointsbank.tasks.fitness import people_of

# A phone's clock may be off by so much before anybody is told.
CLOCK_SKEW_SECONDS = 90
# Positions are evidence, never the sole ground (docs/scanning.md): farther away is a flag.
OTHER_PLACE_METRES = 500
# A station without a network uploads within so many hours, or its scans are too old to be
# judged.
OFFLINE_HOURS_MAX = 72
# Codes that hang at the place: a person scans them for themselves.
SELF_KINDS = ("venue", "poster")
# While a person decides whether to insist, the code they scanned may grow old.
CONFIRM_MINUTES = 5


FIT = Fitness(is_eligible=True)


@dataclass(frozen=True)
class NewScan:
    """A scan as a device sends it.

    direction: in, out or auto. scanned_at: by the device's clock. location: latitude, longitude
    and accuracy in metres; it is compared and forgotten. digits: those beside a poster, as
    typed from the venue's screen.
    """

    nonce: str
    code: str
    shift_id: int | None = None
    direction: str = "auto"
    scanned_at: datetime | None = None
    is_offline: bool = False
    device_id: str | None = None
    location: tuple[float, float, float] | None = None
    digits: str | None = None
    confirm: bool = False
    note: str | None = None


@dataclass(frozen=True)
class Desk:
    """What holds for every scan of this installation."""

    secret: str
    rules: Rules
    zone: ZoneInfo


@dataclass(frozen=True)
class Findings:
    """All that was found out about a scan before it is judged.

    at: the moment it is judged as of. elsewhere: another shift this person claimed today.
    earlier: when they came and left before, without the marks in facts.
    fitness: whether they may join on the spot, and otherwise what is missing.
    """

    sight: Sight
    facts: Row[Any]
    at: datetime
    is_offline: bool
    is_lead: bool
    may_scan: bool
    is_revoked: bool = False
    is_suspended: bool = False
    digits: str | None = None
    mark: Row[Any] | None = None
    elsewhere: Row[Any] | None = None
    earlier: tuple[Pair, ...] = ()
    fitness: Fitness = FIT

    @property
    def until(self) -> datetime:
        """Until when time counts: the shift's end, or that of its approved overtime."""
        until: datetime = self.facts.until or self.facts.ends_at
        return until

    def rules(self, desk: Desk) -> Rules:
        """Return the desk's rules with check-out open after approved overtime as after any
        end."""
        if self.facts.until is None:
            return desk.rules
        more = int((self.until - self.facts.ends_at).total_seconds()) // 60
        return replace(desk.rules, stays_minutes=desk.rules.stays_minutes + more)

    @property
    def marks(self) -> Pair:
        """When the person came and left the last time; a coming that they said was not theirs
        is none."""
        if self.facts.attendance_state == "rejected" and self.facts.settled_at is None:
            return None, None
        return self.facts.checked_in_at, self.facts.checked_out_at


def find(
    session: Session,
    actor: Actor,
    scan: NewScan,
    desk: Desk,
    now: datetime,
    seen_at: datetime | None,
) -> Findings:
    """Find out all that a scan is judged by; for most scans this is one statement."""
    is_offline = scan.is_offline and scan.scanned_at is not None and actor.is_("organizer")
    at = min(scan.scanned_at, now) if is_offline and scan.scanned_at else now
    code_at = at if is_offline else seen_at or now
    sight = look_at(scan.code, secret=desk.secret, at=code_at, is_offline=is_offline)
    if sight.kind in SELF_KINDS and is_offline:
        # Only a station keeps scans for later; a person's own time is the server's.
        is_offline, at = False, now
        sight = look_at(scan.code, secret=desk.secret, at=seen_at or now)
    if scan.shift_id is not None and actor.is_("organizer"):
        sight = typed_number(sight)
    if now - at > timedelta(hours=OFFLINE_HOURS_MAX):
        sight = replace(sight, is_fresh=False)
    if scan.confirm and not sight.is_fresh and sight.is_genuine and not is_offline:
        sight = replace(sight, is_fresh=_may_still_confirm(session, actor, sight, desk, now))
    subject, is_revoked, is_suspended = _subject(session, actor, scan, sight, desk, at)
    facts = facts_of(
        session,
        subject,
        actor_id=actor.member_id,
        nonce=scan.nonce,
        device_id=scan.device_id,
        today=local_day(at, desk.zone),
    )
    is_lead = facts.path is not None and actor.oversees(facts.path, "organizer")
    is_unplaced = facts.shift_id is None and scan.shift_id is None and actor.is_("organizer")
    found = Findings(
        sight=sight,
        facts=facts,
        at=at,
        is_offline=is_offline,
        is_lead=is_lead,
        may_scan=sight.kind in SELF_KINDS or is_lead or is_unplaced,
        is_revoked=is_revoked,
        is_suspended=is_suspended,
        digits=_digits(session, actor, scan, sight, facts.shift_id, desk, now),
    )
    return _look_closer(session, found, scan, desk)


def _is_own_poster(sight: Sight, scan: NewScan) -> bool:
    return sight.kind == "poster" and scan.shift_id is None


def _digits(
    session: Session,
    actor: Actor,
    scan: NewScan,
    sight: Sight,
    shift_id: int | None,
    desk: Desk,
    now: datetime,
) -> str | None:
    """Return how the digits beside a poster fit; at a station a poster checks nobody in."""
    if not _is_own_poster(sight, scan) or sight.shift_handle is None:
        return None
    return fit_of_digits(
        session,
        member_id=actor.member_id,
        shift_id=shift_id,
        shift_handle=sight.shift_handle,
        typed=scan.digits,
        secret=desk.secret,
        now=now,
    )


def _may_still_confirm(
    session: Session, actor: Actor, sight: Sight, desk: Desk, now: datetime
) -> bool:
    return was_asked_to_confirm(
        session,
        actor_id=actor.member_id,
        code_hash=keyed_hash(desk.secret, "scan", sight.text),
        since=now - timedelta(minutes=CONFIRM_MINUTES),
    )


def _subject(
    session: Session, actor: Actor, scan: NewScan, sight: Sight, desk: Desk, at: datetime
) -> tuple[Subject, bool, bool]:
    """Return whom and where the scan is about, and whether a card is revoked or its owner
    suspended."""
    is_attending = sight.kind in ATTENDING_KINDS or _is_own_poster(sight, scan)
    if not sight.is_genuine or not is_attending:
        return Subject(shift_id=scan.shift_id), False, False
    if sight.kind in SELF_KINDS:
        return Subject(actor.member_id, shift_handle=sight.shift_handle), False, False
    member_id = None
    if sight.kind == "card":
        try:
            member_id = member_of_card(session, text=sight.text, secret=desk.secret, now=at)
        except CardNotFound:
            return Subject(shift_id=scan.shift_id), True, False
        except MemberSuspended:
            return Subject(shift_id=scan.shift_id), False, True
    if sight.kind == "manual":
        member_id = member_id_of_number(session, sight.text)
    subject = Subject(member_id, sight.member_handle, scan.shift_id, sight.shift_handle)
    if subject.shift_id is None and subject.shift_handle is None:
        subject = replace(subject, shift_id=_current_shift(session, actor, subject, desk, at))
    return subject, False, False


def _current_shift(
    session: Session, actor: Actor, subject: Subject, desk: Desk, at: datetime
) -> int | None:
    """Return the shift that runs now, is the scanning person's to lead, and was claimed by this
    member."""
    running = claimed_shifts(
        session,
        subject,
        starts_by=at + timedelta(minutes=desk.rules.opens_minutes),
        ends_from=at - timedelta(minutes=desk.rules.stays_minutes),
    )
    return next((row.id for row in running if actor.oversees(row.path, "organizer")), None)


def _look_closer(session: Session, found: Findings, scan: NewScan, desk: Desk) -> Findings:
    """Ask the further questions that most scans need no answer to."""
    facts = found.facts
    if facts.member_id is None or facts.shift_id is None or not found.may_scan:
        return found
    direction = _asked_direction(found.sight, scan)
    came, left = found.marks
    if (facts.pairs or 0) > 1:
        found = replace(found, earlier=_earlier(session, facts))
    if facts.claim_id is None and (came is None or (left is not None and direction == "in")):
        day = local_day(found.at, desk.zone)
        elsewhere = _elsewhere(session, facts, day, desk)
        found = replace(found, elsewhere=elsewhere, fitness=_fitness(session, facts, desk))
    if came is None:
        return found
    if left is not None:
        return replace(found, mark=_mark(session, facts, "out"))
    is_recent = found.at - came < timedelta(seconds=REPEAT_SECONDS)
    if direction == "in" or (direction == "auto" and is_recent):
        return replace(found, mark=_mark(session, facts, "in"))
    return found


def _mark(session: Session, facts: Row[Any], direction: str) -> Row[Any] | None:
    return first_mark(
        session,
        shift_id=facts.shift_id,
        member_id=facts.member_id,
        direction=direction,
        occurrence=facts.pairs,
    )


def _earlier(session: Session, facts: Row[Any]) -> tuple[Pair, ...]:
    pairs = pairs_of(session, facts.shift_id, [facts.member_id]).get(facts.member_id, [])
    return tuple(pair for pair in pairs if pair[0] != facts.checked_in_at)


def _elsewhere(session: Session, facts: Row[Any], day: date, desk: Desk) -> Row[Any] | None:
    begins_at = midnight(day, desk.zone)
    claimed = claimed_shifts(
        session,
        Subject(facts.member_id),
        starts_by=begins_at + timedelta(days=1),
        ends_from=begins_at,
    )
    return claimed[0] if claimed else None


def _fitness(session: Session, facts: Row[Any], desk: Desk) -> Fitness:
    """Tell whether some role of the shift would take this person."""
    trees = [both(*row) for row in trees_of(session, facts.shift_id)]
    if not all(trees):
        return FIT
    on = local_day(facts.starts_at, desk.zone)
    person = people_of(session, [facts.member_id], on)[facts.member_id]
    return judge_eligibility({"any": trees}, person)


def _asked_direction(sight: Sight, scan: NewScan) -> str:
    """Return what is asked for: the venue's screen knows better than the phone."""
    return sight.direction if sight.direction in ("in", "out") else scan.direction


def case_of(found: Findings, scan: NewScan, actor_id: int) -> Case:
    """Return the findings as the evaluator reads them."""
    facts, mark = found.facts, found.mark
    came, left = found.marks
    is_same_device = mark is not None and (
        mark.device_id == scan.device_id
        if mark.device_id and scan.device_id
        else mark.actor_id == actor_id
    )
    return Case(
        at=found.at,
        kind=found.sight.kind,
        is_genuine=found.sight.is_genuine,
        is_fresh=found.sight.is_fresh,
        is_revoked=found.is_revoked,
        direction=_asked_direction(found.sight, scan),
        member_state=_state_shown(found),
        may_scan=found.may_scan,
        is_lead=found.is_lead,
        has_shift=facts.shift_id is not None and facts.task_state in ("open", "cancelled"),
        is_at_station=scan.shift_id is not None and found.is_lead,
        is_other_shift=scan.shift_id is not None and facts.shift_id != scan.shift_id,
        is_called_off=facts.task_state == "cancelled" or facts.called_off_at is not None,
        claim=facts.claim_state,
        claims_elsewhere=found.elsewhere is not None,
        is_eligible=found.fitness.is_eligible,
        places_left=facts.places - facts.claimed if facts.places is not None else 0,
        starts_at=facts.starts_at,
        ends_at=facts.ends_at,
        pairs=facts.pairs or 0,
        checked_in_at=came,
        checked_out_at=left,
        is_same_device=is_same_device,
        is_settled=facts.settled_at is not None,
        digits=found.digits,
        confirm=scan.confirm,
        has_note=bool(scan.note),
    )


def _state_shown(found: Findings) -> str | None:
    """Return the person's state; whether a number is somebody's is only the lead's to learn."""
    if found.sight.kind == "manual" and not found.may_scan:
        return "active"
    return "suspended" if found.is_suspended else found.facts.member_state


def flags_of(found: Findings, scan: NewScan, judgement: Judgement, now: datetime) -> list[str]:
    """Return what a reviewer should know about a scan; a flag refuses nothing."""
    flags = []
    if found.is_offline:
        flags.append("offline")
    skew = scan.scanned_at - now if scan.scanned_at else timedelta()
    if skew.total_seconds() > CLOCK_SKEW_SECONDS or (
        not found.is_offline and abs(skew.total_seconds()) > CLOCK_SKEW_SECONDS
    ):
        flags.append("clock_skew")
    if found.sight.kind == "venue" and found.facts.other_on_device is not None:
        flags.append("same_device")
    if scan.location and found.facts.latitude is not None:
        latitude, longitude, accuracy = scan.location
        place = (found.facts.latitude, found.facts.longitude)
        if metres_between((latitude, longitude), place) > OTHER_PLACE_METRES + accuracy:
            flags.append("other_place")
    if found.digits == "missing" and judgement.act != "none":
        flags.append("poster_unconfirmed")
    if judgement.result == "ok" and scan.confirm and scan.note:
        flags.append("let_in")
    return flags
