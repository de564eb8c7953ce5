"""Steps of what follows: differences, settling, a second look, rejection, spending."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.attendance.differences import settle_difference
from pointsbank.attendance.models import Attendance
from pointsbank.attendance.rejecting import reject_attendance
from pointsbank.attendance.reviewing import decide_review
from pointsbank.attendance.settling import settle_shift
from pointsbank.attendance.vouching import co_sign
from proving.attendance.deck import ANY, FLAG, SOME, either, is_early, somebody, step
from proving.attendance.scan_steps import scan_id
from proving.attendance.world import VOLUNTEERS, World
from tests.builders import SHANGHAI, points_spent


@step(8, which=ANY, leave=FLAG)
def settle_a_difference(world: World, which: int, leave: int) -> None:
    """Let what a station showed count, or leave it out."""
    known = list(world.model.differences)
    if not known:
        return
    nonce, decision = known[which % len(known)], ("let_in", "leave_out")[leave]

    def act(session: Session) -> None:
        settle_difference(
            session,
            scan_id=scan_id(session, world, nonce),
            decision=decision,
            note="当时在场",
            actor=world.leads[0],
            desk=world.desk,
            now=world.now,
        )

    world.both(lambda: world.model.settle_difference(nonce, decision, world.now), act)


@step(13, which=ANY, lead=FLAG)
def settle(world: World, which: int, lead: int) -> None:
    """Settle a shift, or settle it again."""
    shift, places = either(world, which)
    is_over = world.now >= places.ends_at
    have_left = all(world.model.sheets[shift, each].has_left for each in world.model.members)
    if which // 2 % SOME and not (is_over and have_left):
        return

    def act(session: Session) -> tuple[list[Any], list[Any]]:
        found = settle_shift(
            session,
            shift_id=world.shift_ids[shift],
            actor_id=world.leads[lead].member_id,
            paths=["/"],
            zone=SHANGHAI,
            now=world.now,
        )
        number = world.member_ids.index
        awarded = [(number(e.member_id), e.points, e.service_minutes) for e in found.awarded]
        return sorted(awarded), sorted((number(e.member_id), e.reason) for e in found.held)

    world.both(lambda: world.model.settle(shift, world.now), act)


@step(8, which=ANY, approve=(0, 2))
def decide(world: World, which: int, approve: int) -> None:
    """Let what waits for a second look count, or not."""
    known = [
        key
        for key, sheet in world.model.sheets.items()
        if any(each.review != "none" for each in sheet.comings)
    ]
    if not known:
        return
    shift, member = known[which % len(known)]

    def act(session: Session) -> None:
        attendance_id = session.scalar(
            select(Attendance.id)
            .where(
                Attendance.shift_id == world.shift_ids[shift],
                Attendance.member_id == world.member_ids[member],
                Attendance.review_state != "none",
            )
            .order_by(Attendance.occurrence)
            .limit(1)
        )
        decide_review(
            session,
            attendance_id=attendance_id or 0,
            actor=world.secretary,
            is_approved=bool(approve),
            reason="名单不实",
            zone=SHANGHAI,
            now=world.now,
        )

    world.both(lambda: world.model.decide(shift, member, bool(approve), world.now), act)


@step(2, who=(0, 2 * VOLUNTEERS), other=ANY)
def vouch(world: World, who: int, other: int) -> None:
    """Sign for the list of a shift: the secretary, or somebody who was there."""
    if is_early(world, other):
        return
    signer = who if who < VOLUNTEERS else None
    actor = world.secretary if signer is None else world.volunteers[signer]
    shift, _ = either(world, other)

    def act(session: Session) -> None:
        co_sign(session, shift_id=world.shift_ids[shift], actor=actor, now=world.now)

    world.both(lambda: world.model.co_sign(shift, signer), act)


@step(4, who=ANY, other=ANY)
def reject(world: World, who: int, other: int) -> None:
    """Say: I did not take part."""
    if is_early(world, other):
        return
    shift, _ = either(world, other)
    member = somebody(world, who, shift)

    def act(session: Session) -> tuple[int, int]:
        found = reject_attendance(
            session,
            member_id=world.member_ids[member],
            shift_id=world.shift_ids[shift],
            note=None,
            today=world.now.date(),
            now=world.now,
        )
        return found.points_back, found.points_spent

    world.both(lambda: world.model.reject(shift, member), act)


@step(2, who=ANY, points=(1, 20))
def spend(world: World, who: int, points: int) -> None:
    """Spend points at a shop, so that they cannot be taken back."""
    member, key = who % VOLUNTEERS, f"spent:{world.now.timestamp()}:{len(world.sent)}:{who}"

    def act(session: Session) -> None:
        points_spent(session, world.member_ids[member], points, key, world.now)

    world.both(lambda: world.model.spend(member, points), act)
