"""The JSON door of registrations at home."""

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day, read_quarter
from pointsbank.core.db import reading, run, transaction
from pointsbank.members import dual_registering
from pointsbank.members.dual_errors import RegistrationNotFound
from pointsbank.members.dual_queries import (
    registration_of,
    registrations,
    registrations_of_member,
    seen_from,
)
from pointsbank.members.dual_registering import DECIDERS, READERS, Wanted
from pointsbank.members.dual_schemas import (
    Acceptance,
    Comment,
    Ending,
    Naming,
    OwnRegistrationWanted,
    RegistrationOut,
    RegistrationQuery,
    RegistrationsOut,
    RegistrationWanted,
    registration_out,
)
from pointsbank.members.models import DualRegistration
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint, cursor_from, positions_from
from pointsbank.web.forms import settings

api = Blueprint("dual_api", __name__, description="Work unit and home community of a member.")


def today() -> date:
    """Return the local day."""
    return local_day(clock.now(), settings().zone)


def one(session: Session, registration_id: int) -> dict[str, Any]:
    """Return a registration as it is now."""
    found = registration_of(session, registration_id, ("/",))
    if found is None:
        raise RegistrationNotFound
    return registration_out(found)


@api.get("/me/dual-registrations")
@api.response(200, RegistrationsOut)
@members_only
def list_mine() -> dict[str, Any]:
    """List one's own registrations, the newest first."""
    with reading() as session:
        found = registrations_of_member(session, current_actor().member_id)
    return {"items": [registration_out(each) for each in found], "next": None}


@api.post("/me/dual-registrations")
@api.arguments(OwnRegistrationWanted)
@api.response(201, RegistrationOut)
@members_only
def apply_at_home(body: dict[str, Any]) -> dict[str, Any]:
    """Register with the community one lives in; it accepts."""
    actor, now = current_actor(), clock.now()

    def act(session: Session) -> dict[str, Any]:
        made = dual_registering.apply_at_home(
            session, actor=actor, wanted=Wanted(**body), now=now
        )
        return one(session, made)

    return run(act)


@api.put("/me/dual-registrations/naming")
@api.arguments(Naming)
@api.response(204)
@members_only
def set_naming(body: dict[str, Any]) -> None:
    """Agree to be named to one's work unit, or take that back."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        dual_registering.set_naming(session, actor=actor, is_named=body["is_named"], now=now)


@api.get("/dual-registrations")
@api.arguments(RegistrationQuery, location="query")
@api.response(200, RegistrationsOut)
@roles_only(*READERS)
def list_registrations(query: dict[str, Any]) -> dict[str, Any]:
    """List the registrations of one's communities and work units."""
    limit = query["limit"]
    wanted = [seen_from(current_actor().paths(*READERS))]
    if "state" in query:
        wanted.append(DualRegistration.state == query["state"])
    with reading() as session:
        found = registrations(
            session, *wanted, after=positions_from(query.get("cursor"), 2), limit=limit + 1
        )
    shown = found[:limit]
    return {
        "items": [registration_out(each) for each in shown],
        "next": cursor_from(shown[-1].rank, shown[-1].id) if len(found) > limit else None,
    }


@api.post("/dual-registrations")
@api.arguments(RegistrationWanted)
@api.response(201, RegistrationOut)
@roles_only(*DECIDERS)
def enter_registration(body: dict[str, Any]) -> dict[str, Any]:
    """Register a member of one's scope; at one's own community it is accepted with this."""
    actor, now, day = current_actor(), clock.now(), today()
    member_id, first_on = body.pop("member_id"), body.pop("first_on", day)

    def act(session: Session) -> dict[str, Any]:
        made = dual_registering.enter_registration(
            session,
            actor=actor,
            member_id=member_id,
            wanted=Wanted(**body),
            first_on=first_on,
            today=day,
            now=now,
        )
        return one(session, made)

    return run(act)


@api.post("/dual-registrations/<id:registration_id>/acceptance")
@api.arguments(Acceptance)
@api.response(200, RegistrationOut)
@roles_only(*DECIDERS)
def accept_registration(body: dict[str, Any], registration_id: int) -> dict[str, Any]:
    """Accept an application at its community."""
    with transaction() as session:
        dual_registering.accept_registration(
            session,
            actor=current_actor(),
            registration_id=registration_id,
            first_on=body.get("first_on", today()),
            today=today(),
            now=clock.now(),
        )
        return one(session, registration_id)


@api.post("/dual-registrations/<id:registration_id>/confirmation")
@api.response(200, RegistrationOut)
@roles_only(*DECIDERS)
def confirm_registration(registration_id: int) -> dict[str, Any]:
    """Say for the work unit that the person is one of theirs."""
    with transaction() as session:
        dual_registering.confirm_registration(
            session, actor=current_actor(), registration_id=registration_id, now=clock.now()
        )
        return one(session, registration_id)


@api.post("/dual-registrations/<id:registration_id>/end")
@api.arguments(Ending)
@api.response(200, RegistrationOut)
@members_only
def end_registration(body: dict[str, Any], registration_id: int) -> dict[str, Any]:
    """End a registration, or refuse an application; the person or either side may."""
    with transaction() as session:
        dual_registering.end_registration(
            session,
            actor=current_actor(),
            registration_id=registration_id,
            reason=body["reason"],
            today=today(),
            now=clock.now(),
        )
        return one(session, registration_id)


@api.put("/dual-registrations/<id:registration_id>/comment")
@api.arguments(Comment)
@api.response(204)
@roles_only(*DECIDERS)
def write_comment(body: dict[str, Any], registration_id: int) -> None:
    """Write what the sheet to the work unit says of one person's quarter."""
    with transaction() as session:
        dual_registering.write_comment(
            session,
            actor=current_actor(),
            registration_id=registration_id,
            period=read_quarter(body["period"]),
            comment=body["comment"],
            now=clock.now(),
        )
