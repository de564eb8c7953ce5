"""The JSON door of volunteer stars."""

from typing import Any

from flask import request

from pointsbank.certificates.applying import (
    KEEPERS,
    READERS,
    apply_for_star,
    refuse_application,
    withdraw_application,
)
from pointsbank.certificates.checking import checked, count_check
from pointsbank.certificates.levels import drop_levels, set_levels
from pointsbank.certificates.noticing import draft_star_notice, take_star_out
from pointsbank.certificates.queries import (
    application_of,
    applications_of_member,
    applications_within,
    barred_until,
    level_sets,
    levels_on,
    own_application,
    revocation_of,
    stars_held,
)
from pointsbank.certificates.revoking import ask_revocation, decide_revocation
from pointsbank.certificates.schemas import (
    AllLevelsOut,
    AwardOut,
    LevelsNamed,
    NewLevels,
    NewRevocation,
    NewStarNotice,
    NoticeDrafted,
    NumberTyped,
    OwnStarsOut,
    RevocationDecision,
    RevocationOut,
    StarApplicationOut,
    StarApplicationsOut,
    StarCorrection,
    StarRefusal,
    StarsQuery,
    WantedStar,
    application_out,
    own_stars_out,
    revocation_out,
)
from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run, transaction
from pointsbank.notices.queries import notice_of
from pointsbank.scoring.queries import service_minutes_of
from pointsbank.web.access import anyone, current_actor, for_programs, members_only, roles_only
from pointsbank.web.contract import Blueprint, cursor_from, position_from
from pointsbank.web.forms import settings

api = Blueprint(
    "stars_api", __name__, description="Stars of volunteers: levels, applications, awards."
)


@api.get("/me/stars")
@api.response(200, OwnStarsOut)
@members_only
def show_own() -> dict[str, Any]:
    """Answer how far one's service time has come, and what was applied for."""
    member_id, today = current_actor().member_id, local_day(clock.now(), settings().zone)
    with reading() as session:
        return own_stars_out(
            service_minutes_of(session, member_id),
            levels_on(session, "volunteer", today),
            stars_held(session, member_id),
            barred_until(session, member_id, today),
            applications_of_member(session, member_id),
        )


@api.post("/me/stars/applications")
@api.arguments(WantedStar)
@api.response(201, StarApplicationOut)
@members_only
def apply(body: dict[str, Any]) -> dict[str, Any]:
    """Apply for a star that one's service time reaches."""
    member_id, now = current_actor().member_id, clock.now()
    today = local_day(now, settings().zone)
    application_id = run(
        lambda session: apply_for_star(
            session, member_id=member_id, stars=body["stars"], today=today, now=now
        )
    )
    with reading() as session:
        return application_out(own_application(session, application_id, member_id))


@api.post("/me/stars/applications/<id:application_id>/withdrawal")
@api.response(200, StarApplicationOut)
@members_only
def withdraw(application_id: int) -> dict[str, Any]:
    """Withdraw one's own application."""
    member_id, now = current_actor().member_id, clock.now()
    with transaction() as session:
        withdraw_application(
            session, member_id=member_id, application_id=application_id, now=now
        )
    with reading() as session:
        return application_out(own_application(session, application_id, member_id))


@api.get("/stars/applications")
@api.arguments(StarsQuery, location="query")
@api.response(200, StarApplicationsOut)
@roles_only(*READERS)
def list_applications(query: dict[str, Any]) -> dict[str, Any]:
    """List the applications of one's scope, the newest first."""
    limit = query["limit"]
    with reading() as session:
        found = applications_within(
            session,
            current_actor().paths(*READERS),
            states=[query["state"]] if "state" in query else (),
            before_id=position_from(query.get("cursor")),
            limit=limit + 1,
        )
    shown = found[:limit]
    return {
        "items": [application_out(each) for each in shown],
        "next": cursor_from(shown[-1].id) if len(found) > limit else None,
    }


@api.get("/stars/applications/<id:application_id>")
@api.response(200, StarApplicationOut)
@roles_only(*READERS)
def show_application(application_id: int) -> dict[str, Any]:
    """Answer one application."""
    with reading() as session:
        return application_out(
            application_of(session, application_id, current_actor().paths(*READERS))
        )


@api.post("/stars/applications/<id:application_id>/refusal")
@api.arguments(StarRefusal)
@api.response(200, StarApplicationOut)
@roles_only(*KEEPERS)
def refuse(body: dict[str, Any], application_id: int) -> dict[str, Any]:
    """Refuse an application with a reason."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        refuse_application(session, actor=actor, application_id=application_id, now=now, **body)
    return show_application(application_id)


@api.post("/stars/notices")
@api.arguments(NewStarNotice)
@api.response(201, NoticeDrafted)
@roles_only(*KEEPERS)
def draft(body: dict[str, Any]) -> dict[str, Any]:
    """Draft one notice for several applications; another person reviews it."""
    actor, now, zone = current_actor(), clock.now(), settings().zone
    return {
        "notice_id": run(
            lambda session: draft_star_notice(session, actor=actor, zone=zone, now=now, **body)
        )
    }


@api.post("/stars/notices/<id:notice_id>/corrections")
@api.arguments(StarCorrection)
@api.response(200, NoticeDrafted)
@roles_only(*KEEPERS)
def correct(body: dict[str, Any], notice_id: int) -> dict[str, Any]:
    """Take somebody out of a notice; the others are shown in a new version of it."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        notice_of(session, notice_id, actor.paths(*KEEPERS))
        new_id = take_star_out(
            session, notice_id=notice_id, by_id=actor.member_id, now=now, **body
        )
    return {"notice_id": new_id}


@api.post("/stars/applications/<id:application_id>/revocations")
@api.arguments(NewRevocation)
@api.response(201, RevocationOut)
@roles_only(*KEEPERS)
def revoke(body: dict[str, Any], application_id: int) -> dict[str, Any]:
    """Ask that an awarded star is revoked; a second person decides."""
    actor, now = current_actor(), clock.now()
    revocation_id = run(
        lambda session: ask_revocation(
            session, actor=actor, application_id=application_id, now=now, **body
        )
    )
    with reading() as session:
        return revocation_out(revocation_of(session, revocation_id, actor.paths(*KEEPERS)))


@api.post("/stars/revocations/<id:revocation_id>/decision")
@api.arguments(RevocationDecision)
@api.response(200, RevocationOut)
@roles_only(*KEEPERS)
def decide(body: dict[str, Any], revocation_id: int) -> dict[str, Any]:
    """Confirm or reject a revocation that somebody else asked for."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        decide_revocation(
            session,
            actor=actor,
            revocation_id=revocation_id,
            is_confirmed=body["decision"] == "confirm",
            reason=body["reason"],
            today=local_day(now, settings().zone),
            now=now,
        )
    with reading() as session:
        return revocation_out(revocation_of(session, revocation_id, actor.paths(*KEEPERS)))


@api.get("/stars/levels")
@api.response(200, AllLevelsOut)
@members_only
def list_levels() -> dict[str, Any]:
    """List every set of levels, those that held before and those to come."""
    with reading() as session:
        found = level_sets(session)
    items = [
        {
            "kind": each.kind,
            "valid_from": each.valid_from,
            "levels": [each.levels[stars] for stars in sorted(each.levels)],
        }
        for each in found
    ]
    return {"items": items, "next": None}


@api.post("/stars/levels")
@api.arguments(NewLevels)
@api.response(200, AllLevelsOut)
@roles_only("administrator")
def enter_levels(body: dict[str, Any]) -> dict[str, Any]:
    """Let a set of levels be valid from a later day on."""
    actor, now = current_actor(), clock.now()
    run(
        lambda session: set_levels(
            session,
            actor=actor,
            kind=body["kind"],
            levels=dict(enumerate(body["levels"], 1)),
            valid_from=body["valid_from"],
            today=local_day(now, settings().zone),
            now=now,
        )
    )
    return list_levels()


@api.post("/stars/levels/withdrawal")
@api.arguments(LevelsNamed)
@api.response(200, AllLevelsOut)
@roles_only("administrator")
def withdraw_levels(body: dict[str, Any]) -> dict[str, Any]:
    """Take back a set of levels that is still to come."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        drop_levels(
            session, actor=actor, today=local_day(now, settings().zone), now=now, **body
        )
    return list_levels()


@api.post("/stars/verification")
@api.arguments(NumberTyped)
@api.response(200, AwardOut)
@anyone
@for_programs
def verify(body: dict[str, Any]) -> dict[str, Any]:
    """Answer what the number on a certificate proves."""
    with transaction() as session:
        count_check(
            session,
            client=request.remote_addr or "",
            secret=settings().secret_key,
            now=clock.now(),
        )
    with reading() as session:
        return vars(checked(session, body["number"]))
