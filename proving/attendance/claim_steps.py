"""Steps of places: claimed, kept, accepted, given up, handed on."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.tasks.claiming import (
    ClaimHeld,
    accept_place,
    claim_shift,
    give_up_claim,
    lapse_places,
)
from pointsbank.tasks.groups import keep_places, release_due_groups, release_group
from pointsbank.tasks.models import Claim, GroupClaim
from pointsbank.tasks.standing import StandingWish, make_standing_claim
from proving.attendance.deck import ANY, SOME, place_of, step
from proving.attendance.lines import Places
from proving.attendance.world import MOMENTS, VOLUNTEERS, World
from tests.builders import COMMUNITY_CODE, SHANGHAI

LIMIT = 100
SATURDAY = frozenset({5})


def held(answer: ClaimHeld) -> tuple[str, int | None]:
    """Return what a person reads of a claim."""
    return answer.state, answer.position


@step(9, who=ANY, other=ANY, role=(0, 3))
def claim(world: World, who: int, other: int, role: int) -> None:
    """Claim a place of a role, or of any."""
    member, (shift, places) = who % VOLUNTEERS, place_of(world, other)
    wanted = role if role < len(places.places) else None

    def foresee() -> tuple[str, int | None]:
        made = places.claim(member, world.now, role=wanted)
        return made.state, places.position(made)

    def act(session: Session) -> tuple[str, int | None]:
        return held(
            claim_shift(
                session,
                shift_id=world.shift_ids[shift],
                member_id=world.member_ids[member],
                now=world.now,
                role_id=None if wanted is None else world.role_ids[shift][wanted],
            )
        )

    world.both(foresee, act)


def some_claim(world: World, which: int) -> tuple[Places, Any, int] | None:
    """Return one of all claims with its shift, and its place among the shift's."""
    known = [
        (places, each, shift)
        for shift, places in enumerate(world.model.shifts)
        for each in places.claims
    ]
    return known[which % len(known)] if known else None


def claim_row(session: Session, world: World, places: Places, claim: Any, shift: int) -> Any:
    """Return the row of a claim of the model."""
    return session.execute(
        select(Claim.id, Claim.member_id, Claim.queue_no)
        .where(Claim.shift_id == world.shift_ids[shift])
        .order_by(Claim.queue_no)
        .offset(places.claims.index(claim))
        .limit(1)
    ).one()


def answer_about(
    world: World,
    which: int,
    foresee: Callable[[Places, Any], None],
    answering: Callable[..., Any],
) -> None:
    """Let somebody say about one of all claims what both sides must take alike."""
    found = some_claim(world, which)
    if found is None:
        return
    places, wanted, shift = found

    def act(session: Session) -> None:
        row = claim_row(session, world, places, wanted, shift)
        answering(session, claim_id=row.id, member_id=row.member_id, now=world.now)

    world.both(lambda: foresee(places, wanted), act)


@step(5, which=ANY)
def give_up(world: World, which: int) -> None:
    """Give a place up."""
    answer_about(
        world, which, lambda places, claim: places.give_up(claim, world.now), give_up_claim
    )


@step(3, which=ANY)
def accept(world: World, which: int) -> None:
    """Say that one comes."""
    answer_about(world, which, lambda places, claim: places.accept(claim), accept_place)


@step(4)
def lapse(world: World) -> None:
    """Take back what nobody accepted, as the job does."""
    world.both(
        lambda: sum(places.lapse(world.now) for places in world.model.shifts),
        lambda session: lapse_places(session, now=world.now, limit=LIMIT),
    )


@step(9, role=(0, 1), places=(1, 3), late=(0, SOME))
def keep(world: World, role: int, places: int, late: int) -> None:
    """Keep places for the branch."""
    if world.now > MOMENTS[1] and late:
        return
    shift = 0 if role else world.shift
    role = role if shift == 0 else 0

    def foresee() -> int:
        world.model.shifts[shift].keep(role, places, world.now)
        return places

    def act(session: Session) -> int:
        group_id = keep_places(
            session,
            shift_id=world.shift_ids[shift],
            organization_code=COMMUNITY_CODE,
            places=places,
            actor_id=world.secretary.member_id,
            paths=["/"],
            now=world.now,
            role_id=world.role_ids[shift][role],
        )
        return session.get_one(GroupClaim, group_id).places

    world.both(foresee, act)


@step(6, who=ANY, which=ANY)
def take_kept(world: World, who: int, which: int) -> None:
    """Accept an invitation of the branch, which keeps a place or did."""
    known = [
        (shift, places, number)
        for shift, places in enumerate(world.model.shifts)
        for number, _ in enumerate(places.groups)
    ]
    if not known:
        return
    member, (shift, places, number) = who % VOLUNTEERS, known[which % len(known)]
    group = places.groups[number]

    def foresee() -> tuple[str, int | None]:
        made = places.claim(
            member, world.now, role=group.role, source="invitation", group=group
        )
        return made.state, places.position(made)

    def act(session: Session) -> tuple[str, int | None]:
        return held(
            claim_shift(
                session,
                shift_id=world.shift_ids[shift],
                member_id=world.member_ids[member],
                now=world.now,
                role_id=world.role_ids[shift][group.role],
                source="invitation",
                group_claim_id=group_id(session, world, shift, number),
            )
        )

    world.both(foresee, act)


def group_id(session: Session, world: World, shift: int, number: int) -> int:
    """Return the id of a group of the model."""
    return session.scalars(
        select(GroupClaim.id)
        .where(GroupClaim.shift_id == world.shift_ids[shift])
        .order_by(GroupClaim.id)
        .offset(number)
        .limit(1)
    ).one()


@step(1, which=ANY)
def release(world: World, which: int) -> None:
    """Let everyone have what the branch keeps."""
    shift, places = place_of(world, which)
    if not places.groups:
        return
    number = which % len(places.groups)
    world.both(
        lambda: places.release(places.groups[number], world.now),
        lambda session: release_group(
            session,
            group_id=group_id(session, world, shift, number),
            actor_id=world.secretary.member_id,
            now=world.now,
        ),
    )


@step(2)
def release_due(world: World) -> None:
    """Release what is due, as the job does."""
    world.both(
        lambda: sum(places.release_due(world.now) for places in world.model.shifts),
        lambda session: release_due_groups(session, now=world.now, limit=LIMIT),
    )


@step(3, who=ANY)
def stand(world: World, who: int) -> None:
    """Wish for every date of the evening's series."""
    member, places = who % VOLUNTEERS, world.model.shifts[1]
    afternoon = world.model.shifts[0]

    def foresee() -> str:
        before = any(each.member == member for each in places.claims)
        is_over = world.now.date() > places.starts_at.date()
        if before or places.starts_at <= world.now or is_over:
            return ""
        return places.claim(member, world.now, source="standing").state

    def act(session: Session) -> str:
        made = make_standing_claim(
            session,
            series_id=world.series_id,
            member_id=world.member_ids[member],
            wish=StandingWish(weekdays=SATURDAY),
            zone=SHANGHAI,
            now=world.now,
        )
        return "claimed" if made.claimed else "waitlisted" if made.waitlisted else ""

    assert afternoon.ends_at < places.starts_at
    world.both(foresee, act)
