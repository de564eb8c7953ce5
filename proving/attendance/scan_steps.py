"""Steps of scans: by oneself, at a station, without network, sent again, taken back."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.attendance.codes import (
    digits_slot_at,
    poster_text,
    slot_at,
    venue_digits,
    venue_text,
)
from pointsbank.attendance.differences import Shown as Showed
from pointsbank.attendance.finding import NewScan
from pointsbank.attendance.models import Scan
from pointsbank.attendance.undoing import undo_scan
from pointsbank.members.codes import GENERAL, personal_text, step_at
from proving.attendance.deck import (
    ANY,
    FLAG,
    SOME,
    is_early,
    place_of,
    somebody,
    step,
    way_of,
)
from proving.attendance.presence import Ask
from proving.attendance.world import World

# This volunteer's number is always typed at a station.
NO_PHONE = 0
# A personal code that a station without network saw counts for these steps.
FRESH_OFFLINE = range(-4, 3)
SHOWN = (
    Showed("ok", "ok_in", "in"),
    Showed("ok", "ok_out", "out"),
    None,
    Showed("ok", "ok_in", "in"),
    Showed("confirm", "not_claimed", "in"),
    Showed("ok", "repeat_just_now", "in"),
    Showed("refuse", "code_expired"),
    Showed("ok", "ok_out", "out"),
)


def clock_of(world: World, skew: int) -> datetime | None:
    """Return what a phone says the time is: nothing, or up to two minutes off."""
    return world.now + timedelta(seconds=60 * (skew - 3)) if skew else None


def aimed(world: World, who: int, other: int, way: int) -> tuple[int, int, str] | None:
    """Return the shift, who is scanned there and which way; None if too early for them."""
    if is_early(world, who):
        return None
    shift, _ = place_of(world, other)
    member = somebody(world, who, shift)
    return shift, member, way_of(world, way, shift, member)


@step(14, who=ANY, other=ANY, way=(0, 9), screen=(0, 4), confirm=(0, 4), skew=(0, 5))
def scan_venue(
    world: World, who: int, other: int, way: int, screen: int, confirm: int, skew: int
) -> None:
    """Scan the venue's screen for oneself."""
    aim = aimed(world, who, other, way)
    if aim is None:
        return
    shift, member, asked = aim
    wanted = (
        asked
        if screen > 2 and asked != "auto"
        else ("either", "in", "out", "either", "either")[screen]
    )
    actor, clock = world.volunteers[member], clock_of(world, skew)
    code = venue_text(world.desk.secret, world.shift_handles[shift], slot_at(world.now), wanted)
    scan = NewScan(
        nonce=world.name(),
        code=code,
        direction=asked,
        confirm=confirm == 1,
        scanned_at=clock,
        device_id=f"phone-{member}",
    )
    ask = Ask(
        "venue",
        world.now,
        f"phone-{member}",
        direction=asked if wanted == "either" else wanted,
        confirm=confirm == 1,
        clock=clock,
    )
    world.send(actor, scan, shift, member, ask)


@step(5, who=ANY, other=ANY, way=(0, 9), digits=(0, 2), confirm=(0, 3))
def scan_poster(
    world: World, who: int, other: int, way: int, digits: int, confirm: int
) -> None:
    """Scan the poster for oneself, with the screen's digits, wrong ones, or none."""
    aim = aimed(world, who, other, way)
    if aim is None:
        return
    shift, member, asked = aim
    handle, secret = world.shift_handles[shift], world.desk.secret
    slot = digits_slot_at(world.now)
    good = [venue_digits(secret, handle, slot - each) for each in (0, 1)]
    wrong = next(each for each in ("1234", "4321", "5678") if each not in good)
    device = f"phone-{member}"
    scan = NewScan(
        nonce=world.name(),
        code=poster_text(secret, handle),
        direction=asked,
        confirm=confirm == 1,
        digits=(None, good[0], wrong)[digits],
        device_id=device,
    )
    ask = Ask(
        "poster",
        world.now,
        device,
        direction=asked,
        confirm=confirm == 1,
        digits=("missing", "right", "wrong")[digits],
    )
    world.send(world.volunteers[member], scan, shift, member, ask)


@step(16, who=ANY, other=ANY, way=(0, 9), typed=(0, 3), insists=(0, 5), lead=FLAG)
def scan_at_station(
    world: World, who: int, other: int, way: int, typed: int, insists: int, lead: int
) -> None:
    """Scan somebody's own code at a station, or type their number."""
    aim = aimed(world, who, other, way)
    if aim is None:
        return
    shift, member, asked = aim
    kind = "personal" if typed and member != NO_PHONE else "manual"
    own_code = personal_text(world.desk.secret, world.handles[member], GENERAL, world.now)
    code = world.numbers[member] if kind == "manual" else own_code
    device, confirm = f"station-{lead}", insists > 2
    scan = NewScan(
        nonce=world.name(),
        code=code,
        shift_id=world.shift_ids[shift],
        direction=asked,
        confirm=confirm,
        note="认识本人" if insists > 3 else None,
        device_id=device,
    )
    ask = Ask(
        kind,
        world.now,
        device,
        direction=asked,
        is_lead=True,
        confirm=confirm,
        has_note=insists > 3,
    )
    world.send(world.leads[lead], scan, shift, member, ask)


@step(12, which=(0, 3))
def insist(world: World, which: int) -> None:
    """Answer a question with yes: the scan once more, with a new code of its kind."""
    asked = [
        each
        for each in world.model.marks
        if each.answer.result == "confirm"
        and not each.ask.is_offline
        and not each.nonce.startswith("difference")
    ]
    if not asked:
        return
    mark = asked[-1 - which % len(asked)]
    actor, scan = next((a, s) for a, s, _ in world.sent if s.nonce == mark.nonce)
    way, secret = mark.answer.direction, world.desk.secret
    code = {
        "venue": venue_text(secret, world.shift_handles[mark.shift], slot_at(world.now), way),
        "personal": personal_text(secret, world.handles[mark.member], GENERAL, world.now),
    }.get(mark.ask.kind, scan.code)
    more: dict[str, Any] = {"direction": way, "confirm": True}
    again = replace(scan, nonce=world.name(), code=code, scanned_at=None, digits=None, **more)
    digits = "missing" if mark.ask.kind == "poster" else None
    ask = replace(mark.ask, at=world.now, clock=None, digits=digits, **more)
    world.send(actor, again, mark.shift, mark.member, ask)


@step(6, which=ANY)
def send_again(world: World, which: int) -> None:
    """Send a scan again, as a device does that had no answer."""
    known = [
        each for each in world.sent if any(m.nonce == each[1].nonce for m in world.model.marks)
    ]
    if not known:
        return
    actor, scan, showed = known[which % len(known)]
    mark = world.model.mark(scan.nonce)
    world.send(actor, scan, mark.shift, mark.member, mark.ask, showed)


@step(12, who=ANY, ago=(0, 40), way=(0, 9), typed=(0, 3), shown=(0, 15), device=FLAG)
def keep_offline(
    world: World, who: int, ago: int, way: int, typed: int, shown: int, device: int
) -> None:
    """Keep a scan on one of two stations without network, of some minutes ago or of now."""
    if is_early(world, who):
        return
    member = somebody(world, who, world.shift)
    asked = way_of(world, way, world.shift, member)
    showed = SHOWN[shown] if shown < len(SHOWN) else Showed("ok", f"ok_{asked}", asked)
    # A station's clock may be three minutes fast.
    at = world.now - timedelta(minutes=ago - 3)
    put_by(world, member, at, asked, showed, device, is_typed=not typed)


@step(7, who=ANY, late=(0, 40), early=(0, 40), typed=(0, 3), devices=(0, 3))
def keep_whole_stay(
    world: World, who: int, late: int, early: int, typed: int, devices: int
) -> None:
    """Keep what stations saw of somebody who came about the start and left about the end."""
    places = world.model.shifts[world.shift]
    if world.now < places.ends_at:
        return
    member = somebody(world, who, world.shift)
    came_at = places.starts_at + timedelta(minutes=late - 10)
    left_at = places.ends_at - timedelta(minutes=early - 20)
    for at, way, device in (
        (came_at, "in", devices % 2),
        (left_at, "out", devices // 2),
    ):
        showed = Showed("ok", f"ok_{way}", way)
        put_by(world, member, at, way, showed, device, is_typed=not typed)


def put_by(
    world: World,
    member: int,
    at: datetime,
    asked: str,
    showed: Showed | None,
    device: int,
    *,
    is_typed: bool,
) -> None:
    """Let a station keep a scan until it is uploaded."""
    own_code = personal_text(world.desk.secret, world.handles[member], GENERAL, at)
    is_typed = is_typed or member == NO_PHONE
    scan = NewScan(
        nonce=world.name(),
        code=world.numbers[member] if is_typed else own_code,
        shift_id=world.shift_ids[world.shift],
        direction=asked,
        scanned_at=at,
        is_offline=True,
        device_id=f"station-{device}",
    )
    world.sent.append((world.leads[device], scan, showed))
    if asked == "auto" and showed is not None and showed.direction:
        asked = showed.direction
    kind = "manual" if is_typed else "personal"
    ask = Ask(kind, at, scan.device_id, asked, is_lead=True, is_offline=True, clock=at)
    world.waiting.append((world.leads[device], scan, showed, world.shift, member, ask))


@step(8, which=ANY, count=(1, 4))
def upload(world: World, which: int, count: int) -> None:
    """Upload some of what the stations keep, in any order."""
    for _ in range(min(count, len(world.waiting))):
        actor, scan, showed, shift, member, ask = world.waiting.pop(which % len(world.waiting))
        at = min(ask.at, world.now)
        is_late = ask.kind == "personal" and step_at(ask.at) - step_at(at) not in FRESH_OFFLINE
        ask = replace(ask, at=at, is_fresh=not is_late)
        world.send(actor, scan, shift, member, ask, showed)


@step(9, which=ANY)
def undo(world: World, which: int) -> None:
    """Take one of the last scans back."""
    marks = world.model.marks
    known = [each for each in marks if each.counts or not which % SOME][-3:]
    if not known:
        return
    mark = known[-1 - which % len(known)]
    actor = next((a for a, s, _ in world.sent if s.nonce == mark.nonce), world.leads[0])

    def act(session: Session) -> None:
        undo_scan(
            session,
            scan_id=scan_id(session, world, mark.nonce),
            actor_id=actor.member_id,
            now=world.now,
        )

    world.both(lambda: world.model.undo(mark.nonce, world.now), act)


def scan_id(session: Session, world: World, nonce: str) -> int:
    """Return the id of a scan of the model."""
    number = next(i for i, each in enumerate(world.model.marks) if each.nonce == nonce)
    return session.scalars(select(Scan.id).order_by(Scan.id).offset(number).limit(1)).one()
