"""The JSON door for the middle of a shift: head counts, roll calls, people looked up."""

import random
from typing import Any

from pointsbank.attendance.counting import (
    answer_roll_call,
    call_roll,
    count_heads,
    head_counts,
    latest_roll,
)
from pointsbank.attendance.review_errors import RollCallNotFound
from pointsbank.attendance.review_schemas import (
    FoundPeopleOut,
    HeadCountIn,
    HeadCountOut,
    HeadCountsOut,
    PeopleSearch,
    RollAnswerIn,
    RollOut,
    found_out,
    heads_out,
    roll_out,
)
from pointsbank.attendance.schemas import desk_here
from pointsbank.attendance.searching import find_people
from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.tasks.queries import shift_of
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint

api = Blueprint("counting_api", __name__, description="Head counts, roll calls, people.")


@api.get("/shifts/<id:shift_id>/head-counts")
@api.response(200, HeadCountsOut)
@roles_only("organizer")
def list_head_counts(shift_id: int) -> dict[str, Any]:
    """Answer how many people were seen, beside how many were there by the scans."""
    with reading() as session:
        shift_of(session, shift_id, current_actor().paths("organizer"))
        seen = head_counts(session, shift_id)
    return {"items": [heads_out(each) for each in seen], "next": None}


@api.post("/shifts/<id:shift_id>/head-counts")
@api.arguments(HeadCountIn)
@api.response(201, HeadCountOut)
@roles_only("organizer")
def count(body: dict[str, Any], shift_id: int) -> dict[str, Any]:
    """Keep how many people the lead sees now; each call is a count of its own."""
    actor, now, rules = current_actor(), clock.now(), desk_here().rules
    seen = run(
        lambda session: count_heads(
            session,
            shift_id=shift_id,
            counted=body["counted"],
            actor_id=actor.member_id,
            paths=actor.paths("organizer"),
            rules=rules,
            now=now,
        )
    )
    return heads_out(seen)


@api.get("/shifts/<id:shift_id>/roll-call")
@api.response(200, RollOut)
@roles_only("organizer")
def show_roll_call(shift_id: int) -> dict[str, Any]:
    """Answer the last roll call of a shift."""
    with reading() as session:
        shift_of(session, shift_id, current_actor().paths("organizer"))
        roll = latest_roll(session, shift_id)
    if roll is None:
        raise RollCallNotFound
    return roll_out(roll)


@api.post("/shifts/<id:shift_id>/roll-call")
@api.response(201, RollOut)
@roles_only("organizer")
def begin_roll_call(shift_id: int) -> dict[str, Any]:
    """Draw people to call up; while somebody is not marked yet, the same call is answered."""
    actor, now, rules = current_actor(), clock.now(), desk_here().rules
    roll = run(
        lambda session: call_roll(
            session,
            shift_id=shift_id,
            actor_id=actor.member_id,
            paths=actor.paths("organizer"),
            rules=rules,
            chance=random.SystemRandom(),
            now=now,
        )
    )
    return roll_out(roll)


@api.post("/roll-calls/<id:roll_call_id>/answers")
@api.arguments(RollAnswerIn)
@api.response(200, RollOut)
@roles_only("organizer")
def answer(body: dict[str, Any], roll_call_id: int) -> dict[str, Any]:
    """Mark somebody who was called as here or not; a repeat changes nothing."""
    actor, now = current_actor(), clock.now()
    roll = run(
        lambda session: answer_roll_call(
            session,
            roll_call_id=roll_call_id,
            member_id=body["member_id"],
            is_here=body["here"],
            actor_id=actor.member_id,
            paths=actor.paths("organizer"),
            now=now,
        )
    )
    return roll_out(roll)


@api.post("/shifts/<id:shift_id>/people/search")
@api.arguments(PeopleSearch)
@api.response(200, FoundPeopleOut)
@roles_only("organizer")
def search_people(body: dict[str, Any], shift_id: int) -> dict[str, Any]:
    """Find people by name, number or the end of a phone; nothing personal stands in a URL."""
    paths = current_actor().paths("organizer")
    with reading() as session:
        shift_of(session, shift_id, paths)
        found = find_people(session, shift_id, body["words"], paths)
    return {"items": [found_out(each) for each in found], "next": None}
