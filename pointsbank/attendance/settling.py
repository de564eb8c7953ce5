"""Settlement: what a shift awards, once, and what it holds for review."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pointsbank.attendance.alerting import tell_reviewers
from pointsbank.attendance.errors import OvertimePending, ShiftNotOver
from pointsbank.attendance.evidence import facts_for_review
from pointsbank.attendance.models import Attendance
from pointsbank.attendance.overtimes import overtime_of
from pointsbank.attendance.policy import minutes_of_presence, planned_minutes
from pointsbank.attendance.rationing import BUDGET_SPENT, within_budget, within_caps
from pointsbank.attendance.sheet import REVIEW, Coming, SheetLine, sheet_lines
from pointsbank.attendance.vouching import demand_co_signature
from pointsbank.attendance.weighing import Weighed, weigh
from pointsbank.budgets.issuing import open_issuer, warn_of_budget
from pointsbank.core.audit import note
from pointsbank.core.calendar import end_of_next_year, local_day, local_month
from pointsbank.ledger.batching import post_many
from pointsbank.ledger.budgets import budget_left
from pointsbank.ledger.models import Account
from pointsbank.ledger.posting import Posting
from pointsbank.members.models import Member
from pointsbank.scoring.capping import room_for, take_points
from pointsbank.scoring.models import Item
from pointsbank.scoring.policy import DAY_FULL, TOO_SHORT, Award, award_for
from pointsbank.scoring.queries import Standard, minutes_counted_on, standard_on
from pointsbank.scoring.service import record_entry
from pointsbank.tasks.claiming import locked_shift
from pointsbank.tasks.errors import NotOpen
from pointsbank.tasks.queries import ShiftLine, TaskLine, shift_of

MISSING_CHECK_OUT = "missing_check_out"
OWN_SHIFT = "own_shift"
CLAIM_GIVEN_UP = "claim_given_up"
# The lead says that somebody was there although they had given their place up.
COUNTS_ANYWAY = "counts_anyway"
# By the standard there is nothing to enter: nobody has to look, unless a mark is wrong.
NOTHING_TO_ENTER = (TOO_SHORT, DAY_FULL)
# What may have come since: room in the budget or in the day, another lead.
JUDGED_AGAIN = (BUDGET_SPENT, DAY_FULL, OWN_SHIFT)


@dataclass(frozen=True)
class Awarded:
    """One person's points and counted minutes."""

    member_id: int
    points: int
    service_minutes: int


@dataclass(frozen=True)
class Held:
    """One person whose work waits for review, and why."""

    member_id: int
    reason: str


@dataclass(frozen=True)
class Settlement:
    """All that was settled of a shift so far, each list in the order of the wallets."""

    awarded: tuple[Awarded, ...]
    held: tuple[Held, ...]


@dataclass(frozen=True)
class ShiftRules:
    """What the people of one shift are judged by.

    until: its end, or until when overtime was approved. before: the minutes that its day
    counts already, by member. weighed: what speaks against each attendance, by member.
    """

    shift: ShiftLine
    task: TaskLine
    standard: Standard
    until: datetime
    before: Mapping[int, int]
    weighed: Mapping[int, Weighed]

    @property
    def overtime_minutes(self) -> int:
        """How much longer than planned was approved."""
        return int((self.until - self.shift.ends_at).total_seconds()) // 60

    @property
    def item(self) -> Item:
        """The item that the task is scored by."""
        return self.standard.item(self.task.scoring_item)

    def day(self, zone: ZoneInfo) -> date:
        """Return the local day that the shift counts for."""
        return local_day(self.shift.starts_at, zone)

    def minutes_of(self, *comings: Coming) -> int:
        """Return how many minutes of the shift these comings cover, without its break."""
        pairs = [(each.checked_in_at, each.checked_out_at) for each in comings]
        return minutes_of_presence(
            pairs, self.shift.starts_at, self.until, self.shift.break_minutes
        )

    def present_in(self, coming: Coming) -> int:
        """Return the whole minutes of the shift that one coming covers, before any rule."""
        pair = (coming.checked_in_at, coming.checked_out_at)
        return minutes_of_presence([pair], self.shift.starts_at, self.until)

    def award_of(self, line: SheetLine) -> Award:
        """Return what a person would get for all their comings; nothing, with its reason, when
        that is held."""
        if not line.has_come or line.open_coming is not None:
            return Award(reason=MISSING_CHECK_OUT)
        if line.claim_state == "withdrawn" and COUNTS_ANYWAY not in line.flags:
            return Award(reason=CLAIM_GIVEN_UP)
        shift = self.shift
        award = award_for(
            self.item,
            planned_minutes=planned_minutes(
                shift.starts_at, shift.ends_at, shift.break_minutes
            ),
            actual_minutes=self.minutes_of(*line.standing),
            day_minutes_before=self.before.get(line.member_id, 0),
            overtime_minutes=self.overtime_minutes,
            coefficient_percent=self.task.coefficient_percent,
        )
        doubt = self.weighed.get(line.member_id)
        if award.reason is None and doubt is not None and doubt.is_doubtful:
            return award if line.review_state == "approved" else Award(reason=REVIEW)
        return award


def shift_rules(
    session: Session,
    lines: Sequence[SheetLine],
    shift: ShiftLine,
    task: TaskLine,
    zone: ZoneInfo,
) -> ShiftRules:
    """Return what the people of these lines are judged by.

    Raises UnknownScoringItem when the standard of the day does not know the task's.
    """
    day = local_day(shift.starts_at, zone)
    standard = standard_on(session, day)
    standard.item(task.scoring_item)
    overtime = overtime_of(session, shift.id)
    is_approved = overtime is not None and overtime.state == "approved"
    return ShiftRules(
        shift,
        task,
        standard,
        until=overtime.until if overtime is not None and is_approved else shift.ends_at,
        before=minutes_counted_on(session, [line.member_id for line in lines], day),
        weighed=weigh(facts_for_review(session, shift.id, zone)),
    )


def reason_text(title: str, service_minutes: int) -> str:
    """Return the line that is printed in the passbook: 河道清洁 · 2小时30分."""
    hours, minutes = divmod(service_minutes, 60)
    words = f"{hours}小时" * bool(hours) + f"{minutes}分" * bool(minutes)
    return f"{title} · {words}" if words else title


def settle_shift(
    session: Session,
    *,
    shift_id: int,
    actor_id: int,
    paths: Sequence[str],
    zone: ZoneInfo,
    now: datetime,
    only: Collection[int] | None = None,
) -> Settlement:
    """Award everyone who came and went, hold the rest, and return all that is settled.

    paths: what the settling person organizes; nobody awards themself. only: settle these
    members, and leave the others as they are. A repeat changes nothing of what is settled and
    answers the same; only who waits for something that has come since is judged again: room in
    the month's issue budget, an approved review, another lead. Two at once meet at the shift's
    row.
    Raises ShiftNotFound, ShiftNotOver, NotOpen for what was called off, OvertimePending,
    CoSignatureMissing.
    """
    shift, task = shift_of(session, shift_id, paths)
    if task.state != "open" or shift.called_off_at is not None:
        raise NotOpen
    locked_shift(session, shift_id)
    _lock_comings(session, shift_id)
    lines = [line for line in sheet_lines(session, shift_id) if line.has_come]
    if now < shift.ends_at and not have_all_left(lines):
        raise ShiftNotOver
    wallets = _wallets(session, [line.member_id for line in lines])
    lines.sort(key=lambda line: wallets[line.member_id])
    waiting = [
        line
        for line in lines
        if is_to_settle(line, actor_id) and (only is None or line.member_id in only)
    ]
    _check_signatures(session, shift_id, waiting)
    if waiting:
        _settle(session, waiting, shift, task, actor_id=actor_id, zone=zone, now=now)
        settled = {line.member_id: line for line in sheet_lines(session, shift_id)}
        lines = [settled[line.member_id] for line in lines]
    return _settlement(lines)


def _lock_comings(session: Session, shift_id: int) -> None:
    """Hold the marks fast: whoever moves a check-out or comes back waits, and is judged after
    the settlement."""
    session.execute(
        select(Attendance.id)
        .where(Attendance.shift_id == shift_id)
        .order_by(Attendance.id)
        .with_for_update()
    )


def _check_signatures(session: Session, shift_id: int, lines: Sequence[SheetLine]) -> None:
    """Let a settlement go on that others have no say in any more, before anything is awarded.

    Raises OvertimePending, CoSignatureMissing.
    """
    if not any(line.settled_at is None for line in lines):
        return
    overtime = overtime_of(session, shift_id)
    if overtime is not None and overtime.state == "pending":
        raise OvertimePending
    demand_co_signature(session, shift_id)


def _settlement(lines: Sequence[SheetLine]) -> Settlement:
    return Settlement(
        tuple(
            Awarded(line.member_id, line.points or 0, line.service_minutes or 0)
            for line in lines
            if line.state == "credited"
        ),
        tuple(
            Held(line.member_id, line.held_reason or "")
            for line in lines
            if line.state == "held"
        ),
    )


def have_all_left(lines: Sequence[SheetLine]) -> bool:
    """Tell whether a shift ended before its time: people came, and nobody is still there."""
    return bool(lines) and all(line.checked_out_at is not None for line in lines)


def is_to_settle(line: SheetLine, actor_id: int) -> bool:
    """Tell whether settling decides about a line: a new one, or one whose waiting is over.

    Somebody's own line goes on waiting: settling it themself would end that.
    """
    if not line.has_come:
        return False
    if line.settled_at is None:
        return True
    if line.member_id == actor_id:
        return False
    is_approved = line.held_reason == REVIEW and line.review_state == "approved"
    return is_approved or line.held_reason in JUDGED_AGAIN


def _wallets(session: Session, member_ids: Sequence[int]) -> dict[int, int]:
    """Return each member's wallet id: the order in which wallets are locked everywhere."""
    codes = {f"member:{member_id}": member_id for member_id in member_ids}
    rows = session.execute(
        select(Account.code, Account.id).where(Account.code.in_(list(codes)))
    )
    return {codes[row.code]: row.id for row in rows}


def _settle(
    session: Session,
    waiting: Sequence[SheetLine],
    shift: ShiftLine,
    task: TaskLine,
    *,
    actor_id: int,
    zone: ZoneInfo,
    now: datetime,
) -> None:
    organizations = _locked_members(session, [line.member_id for line in waiting])
    # Read under the members' locks: another shift of the same day may be settled at this
    # moment.
    rules = shift_rules(session, waiting, shift, task, zone)
    issuer, month = open_issuer(session, task.organization_id), local_month(now, zone)
    planned = planned_awards(waiting, rules, actor_id)
    rooms = room_for(
        session,
        member_ids=[member_id for member_id, award in planned.items() if award.points],
        item=rules.item,
        day=rules.day(zone),
    )
    left = budget_left(session, issuer.code, month, lock=True)
    awards = within_budget(waiting, within_caps(planned, rooms), left)
    waiting = [line for line in waiting if not _goes_on_waiting(line, awards[line.member_id])]
    given = [line for line in waiting if awards[line.member_id].reason is None]
    points = {line.member_id: awards[line.member_id].points for line in given}
    take_points(session, points=points, rooms=rooms, item=rules.item)
    for line in given:
        _record(session, line, awards[line.member_id], rules, organizations, zone, now)
    paid = [line for line in given if awards[line.member_id].points]
    posted = post_many(
        session,
        [
            _posting(
                line, awards[line.member_id], task, shift, issuer.code, actor_id, zone, now
            )
            for line in paid
        ],
        now,
    )
    transfers = {line.member_id: each.id for line, each in zip(paid, posted, strict=True)}
    _mark(session, waiting, awards, rules, transfers, actor_id, now)
    is_short = any(award.reason == BUDGET_SPENT for award in awards.values())
    warn_of_budget(session, issuer, month, now, is_short=is_short)
    if any(awards[line.member_id].reason == REVIEW for line in waiting):
        tell_reviewers(session, shift, task, settled_by_id=actor_id, now=now)
    if waiting:
        _note(session, shift.id, [awards[line.member_id] for line in waiting], actor_id, now)


def planned_awards(
    lines: Sequence[SheetLine], rules: ShiftRules, actor_id: int
) -> dict[int, Award]:
    """Return what each would get when this person settles, before the budget is asked."""
    return {
        line.member_id: Award(reason=OWN_SHIFT)
        if line.member_id == actor_id
        else _further(line) or rules.award_of(line)
        for line in lines
    }


def _further(line: SheetLine) -> Award | None:
    """Return nothing more for somebody who was awarded before: one award a person and shift."""
    return Award() if any(each.state == "credited" for each in line.standing) else None


def _record(
    session: Session,
    line: SheetLine,
    award: Award,
    rules: ShiftRules,
    organizations: Mapping[int, int],
    zone: ZoneInfo,
    now: datetime,
) -> None:
    if line.first is None or line.first.state == "credited":
        return
    record_entry(
        session,
        cause=award_key(line),
        member_id=line.member_id,
        organization_id=organizations[line.member_id],
        item=rules.item,
        award=award,
        title=reason_text(rules.task.title, award.service_minutes),
        earned_on=rules.day(zone),
        now=now,
    )


def award_key(line: SheetLine) -> str:
    """Return what names a person's award on a shift for ever, in the ledger and the scores."""
    claim_id = line.comings[0].claim_id if line.comings else line.claim_id
    return f"award:{claim_id}"


def _goes_on_waiting(line: SheetLine, award: Award) -> bool:
    """Tell whether a line waited for room, in the budget or the day, and still does."""
    return line.held_reason in (BUDGET_SPENT, DAY_FULL) and award.reason == line.held_reason


def _note(
    session: Session, shift_id: int, awards: Sequence[Award], actor_id: int, now: datetime
) -> None:
    note(
        session,
        at=now,
        actor_id=actor_id,
        action="shift_settled",
        subject=("shift", shift_id),
        credited=sum(award.reason is None for award in awards),
        held=sum(award.reason is not None for award in awards),
        points=sum(award.points for award in awards),
    )


def _locked_members(session: Session, member_ids: Sequence[int]) -> dict[int, int]:
    """Lock members in the order of their ids and return where each belongs now.

    Foreign keys to a member do not wait for this lock: it is not one on the key.
    """
    rows = session.execute(
        select(Member.id, Member.organization_id)
        .where(Member.id.in_(member_ids))
        .order_by(Member.id)
        .with_for_update(key_share=True)
    )
    return {row.id: row.organization_id for row in rows}


def _posting(
    line: SheetLine,
    award: Award,
    task: TaskLine,
    shift: ShiftLine,
    issuer: str,
    actor_id: int,
    zone: ZoneInfo,
    now: datetime,
) -> Posting:
    wallet = f"member:{line.member_id}"
    return Posting(
        key=award_key(line),
        kind="earn",
        source=issuer,
        target=wallet,
        wallet=wallet,
        points=award.points,
        occurred_at=line.checked_out_at or shift.ends_at,
        reason=reason_text(task.title, award.service_minutes),
        actor_id=actor_id,
        expires_on=end_of_next_year(local_day(shift.starts_at, zone)),
        budget_month=local_month(now, zone),
    )


def _mark(
    session: Session,
    lines: Sequence[SheetLine],
    awards: Mapping[int, Award],
    rules: ShiftRules,
    transfers: Mapping[int, int],
    actor_id: int,
    now: datetime,
) -> None:
    """Write what was decided about each person: the award stands in their first coming."""
    rows: list[dict[str, Any]] = []
    for line in lines:
        award = awards[line.member_id]
        for coming in line.standing:
            if coming.state == "credited":
                continue
            is_first = coming is line.first
            rows.append(
                {
                    "id": coming.id,
                    "state": "held" if award.reason else "credited",
                    "settled_at": now,
                    "settled_by_id": actor_id,
                    "held_reason": award.reason,
                    "cut_reason": award.cut if is_first else None,
                    "present_minutes": rules.present_in(coming),
                    "service_minutes": _part(award, award.service_minutes, is_first),
                    "points": _part(award, award.points, is_first),
                    "standard_id": rules.standard.id,
                    "transfer_id": transfers.get(line.member_id) if is_first else None,
                    **_review(line, coming, award, rules),
                }
            )
    if rows:
        session.execute(update(Attendance), rows)


def _part(award: Award, amount: int, is_first: bool) -> int | None:
    if award.reason:
        return None
    return amount if is_first else 0


def _review(line: SheetLine, coming: Coming, award: Award, rules: ShiftRules) -> dict[str, Any]:
    doubt = rules.weighed.get(line.member_id)
    waits = award.reason == REVIEW and coming is line.first
    return {
        "review_score": doubt.score if doubt else 0,
        "review_reasons": doubt.kept_reasons if doubt else [],
        "review_state": "waiting" if waits else coming.review_state,
    }
