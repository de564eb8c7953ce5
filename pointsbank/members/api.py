"""The JSON door of people: sessions, codes, imports, search, roles, cards."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.codes import Purpose, url_of
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.keys import draw_bytes, draw_number, draw_token
from pointsbank.core.text import phone_from
from pointsbank.members import codes, passwords, sessions, showing
from pointsbank.members.appointing import appoint, dismiss, give_card, reopen, stop, take_card
from pointsbank.members.errors import BadCredentials, WrongPassword
from pointsbank.members.households import (
    add_to_household,
    register_household,
    remove_from_household,
)
from pointsbank.members.importing import hashed_passwords, import_members, read_members
from pointsbank.members.policy import APPOINTERS
from pointsbank.members.queries import (
    household_by_id,
    household_of,
    member_of,
    members_within,
    standing_roles,
)
from pointsbank.members.schemas import (
    CardOut,
    CodeOut,
    CodeWanted,
    Credentials,
    FoundMembers,
    HouseholdOut,
    MemberSearch,
    NewCard,
    NewHousehold,
    NewHouseholdPerson,
    NewRole,
    PasswordChange,
    RoleGranted,
    SessionOut,
    StateOut,
    found_member,
    household_out,
    member_out,
)
from pointsbank.members.service import set_password
from pointsbank.web.access import (
    anyone,
    current_actor,
    for_programs,
    members_only,
    roles_only,
    takes_files,
)
from pointsbank.web.contract import Blueprint, cursor_from, position_from
from pointsbank.web.forms import settings
from pointsbank.web.uploads import (
    IMPORT_BYTES_MAX,
    ImportFile,
    ImportQuery,
    ReportOut,
    read_upload,
    report_out,
)

api = Blueprint("members_api", __name__, description="People, their sessions and codes.")


@api.post("/sessions")
@api.arguments(Credentials)
@api.response(201, SessionOut)
@for_programs
@anyone
def sign_in(body: dict[str, Any]) -> dict[str, Any]:
    """Begin a session for a program."""
    secret, now = settings().secret_key, clock.now()
    hasher = passwords.hasher_for(is_cheap=settings().argon2_cheap)
    token = draw_token()
    with reading() as session:
        tried = sessions.begin_try(session, phone=body["phone"], secret=secret, now=now)
    is_right = passwords.is_right(body["password"], tried.password_hash, hasher)
    signed_in = run(
        lambda session: sessions.finish_try(
            session,
            tried=tried,
            is_right=is_right,
            token=token,
            kind="program",
            staff_lasts=timedelta(hours=settings().staff_session_hours),
            member_lasts=timedelta(days=settings().member_session_days),
            now=now,
        )
    )
    if signed_in is None:
        raise BadCredentials
    with reading() as session:
        member = member_of(session, signed_in.member_id)
        roles = standing_roles(session, signed_in.member_id)
    return {
        "token": token,
        "expires_at": signed_in.expires_at,
        "member": member_out(member, roles),
    }


@api.delete("/sessions/current")
@api.response(204)
@members_only
def sign_out() -> None:
    """End the session this request came with; its token is dead at once."""
    actor = current_actor()
    with transaction() as session:
        sessions.end_session(session, session_id=actor.session_id, now=clock.now())


@api.post("/me/password")
@api.arguments(PasswordChange)
@api.response(204)
@members_only
def change_password(body: dict[str, Any]) -> None:
    """Take a new password; every other session of this person ends."""
    actor, now = current_actor(), clock.now()
    hasher = passwords.hasher_for(is_cheap=settings().argon2_cheap)
    passwords.check_strength(body["new_password"])
    with reading() as session:
        tried = sessions.begin_own_try(
            session, member_id=actor.member_id, secret=settings().secret_key, now=now
        )
    is_right = passwords.is_right(body["old_password"], tried.password_hash, hasher)
    password_hash = passwords.hashed(body["new_password"], hasher)
    with transaction() as session:
        member = sessions.judge_try(session, tried=tried, is_right=is_right, now=now)
        if member is not None:
            set_password(
                session,
                member_id=actor.member_id,
                password_hash=password_hash,
                keep_session_id=actor.session_id,
                now=now,
            )
    if member is None:
        raise WrongPassword


@api.post("/me/codes")
@api.arguments(CodeWanted)
@api.response(201, CodeOut)
@members_only
def draw_code(body: dict[str, Any]) -> dict[str, Any]:
    """Draw a code to show: for attendance, or to redeem with."""
    actor, now = current_actor(), clock.now()
    secret, public_url = settings().secret_key, settings().public_url
    if body["purpose"] == "attend":
        with reading() as session:
            handle = member_of(session, actor.member_id).handle
        text = codes.personal_text(secret, handle, codes.GENERAL, now)
        expires_at = codes.personal_ends_at(now)
        return {
            "code": text,
            "url": url_of(public_url, Purpose.PERSONAL, text),
            "expires_at": expires_at,
            "refresh_seconds": max(1, round((expires_at - now).total_seconds())),
        }
    number = draw_number(codes.REDEMPTION_NUMBER_DIGITS)
    expires_at = run(
        lambda session: showing.draw_redemption_code(
            session, member_id=actor.member_id, number=number, secret=secret, now=now
        )
    )
    text = codes.redemption_text(secret, number)
    return {
        "code": text,
        "url": url_of(public_url, Purpose.REDEMPTION, text),
        "digits": codes.redemption_digits(number),
        "expires_at": expires_at,
        "refresh_seconds": codes.REDEMPTION_SECONDS,
    }


@api.post("/members/import")
@api.arguments(ImportQuery, location="query")
@api.arguments(ImportFile, location="files")
@api.response(200, ReportOut)
@takes_files(IMPORT_BYTES_MAX)
@roles_only("administrator", "secretary")
def import_people(query: dict[str, Any], _file: dict[str, Any]) -> dict[str, Any]:
    """Take in and bring up to date whom a CSV or XLSX file names, all or nothing."""
    actor, now = current_actor(), clock.now()
    table, problems = read_upload(read_members)
    paths = actor.paths("administrator", "secretary")
    with reading() as session:
        report = import_members(
            session,
            table=table,
            problems=problems,
            paths=paths,
            password_hashes={},
            draw_handle=draw_bytes,
            actor_id=actor.member_id,
            now=now,
            today=local_day(now, settings().zone),
            is_dry_run=True,
        )
    if query["dry_run"] or report.rejected:
        return report_out(report)
    hashes = hashed_passwords(table, passwords.hasher_for(is_cheap=settings().argon2_cheap))
    report = run(
        lambda session: import_members(
            session,
            table=table,
            paths=paths,
            password_hashes=hashes,
            draw_handle=draw_bytes,
            actor_id=actor.member_id,
            now=now,
            today=local_day(now, settings().zone),
        )
    )
    return report_out(report)


@api.post("/members/search")
@api.arguments(MemberSearch)
@api.response(200, FoundMembers)
@roles_only("administrator", "secretary")
def search_members(body: dict[str, Any]) -> dict[str, Any]:
    """Find people within the scope of whoever asks."""
    actor = current_actor()
    limit = body["limit"]
    phone = phone_from(body["phone"]) if "phone" in body else None
    if "phone" in body and phone is None:
        return {"items": [], "next": None}
    with reading() as session:
        found = members_within(
            session,
            actor.paths("administrator", "secretary"),
            phone=phone,
            name=body.get("name"),
            volunteer_no=body.get("volunteer_no"),
            after_id=position_from(body.get("cursor")) or 0,
            limit=limit + 1,
        )
    return {
        "items": [found_member(member) for member in found[:limit]],
        "next": cursor_from(found[limit - 1].id) if len(found) > limit else None,
    }


@api.post("/members/<id:member_id>/roles")
@api.arguments(NewRole)
@api.response(201, RoleGranted)
@roles_only(*APPOINTERS)
def give_role(body: dict[str, Any], member_id: int) -> dict[str, Any]:
    """Give a member a role."""
    actor, now = current_actor(), clock.now()
    role_id = run(
        lambda session: appoint(
            session,
            actor=actor,
            member_id=member_id,
            role=body["role"],
            organization_code=body.get("organization_code"),
            merchant_id=body.get("merchant_id"),
            now=now,
        )
    )
    return {"id": role_id}


@api.delete("/members/<id:member_id>/roles/<id:role_id>")
@api.response(204)
@roles_only(*APPOINTERS)
def take_role(member_id: int, role_id: int) -> None:
    """Take a role back; the member's sessions end at once."""
    actor = current_actor()
    with transaction() as session:
        dismiss(session, actor=actor, member_id=member_id, role_id=role_id, now=clock.now())


@api.post("/members/<id:member_id>/suspension")
@api.response(200, StateOut)
@roles_only("administrator")
def suspend(member_id: int) -> dict[str, Any]:
    """Stop an account; its sessions end at once."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        stop(
            session,
            actor=actor,
            member_id=member_id,
            now=now,
            today=local_day(now, settings().zone),
        )
    return {"id": member_id, "state": "suspended"}


@api.delete("/members/<id:member_id>/suspension")
@api.response(200, StateOut)
@roles_only("administrator")
def activate(member_id: int) -> dict[str, Any]:
    """Open a stopped account again."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        reopen(
            session,
            actor=actor,
            member_id=member_id,
            now=now,
            today=local_day(now, settings().zone),
        )
    return {"id": member_id, "state": "active"}


@api.post("/members/<id:member_id>/cards")
@api.arguments(NewCard, required=False)
@api.response(201, CardOut)
@roles_only("administrator", "organizer")
def new_card(body: dict[str, Any], member_id: int) -> dict[str, Any]:
    """Issue a paper card; its code is shown this once."""
    actor = current_actor()
    number = draw_bytes(codes.CARD_NUMBER_BYTES)
    with transaction() as session:
        card_id = give_card(
            session,
            actor=actor,
            member_id=member_id,
            number=number,
            pin=body.get("pin"),
            secret=settings().secret_key,
            now=clock.now(),
        )
    text = codes.card_text(settings().secret_key, number)
    url = url_of(settings().public_url, Purpose.CARD, text)
    return {"id": card_id, "code": text, "url": url}


@api.delete("/members/<id:member_id>/cards/<id:card_id>")
@api.response(204)
@roles_only("administrator", "organizer")
def revoke_card(member_id: int, card_id: int) -> None:
    """Make a card dead at once."""
    actor = current_actor()
    with transaction() as session:
        take_card(session, actor=actor, member_id=member_id, card_id=card_id, now=clock.now())


@api.get("/me/household")
@api.response(200, HouseholdOut)
@members_only
def my_household() -> dict[str, Any]:
    """Answer one's own household, with masked names."""
    with reading() as session:
        return household_out(household_of(session, current_actor().member_id))


@api.post("/households")
@api.arguments(NewHousehold)
@api.response(201, HouseholdOut)
@roles_only("administrator", "secretary")
def new_household(body: dict[str, Any]) -> dict[str, Any]:
    """Register people as one household; all of them within one's scope."""
    actor, now = current_actor(), clock.now()

    def act(session: Session) -> dict[str, Any]:
        household_id = register_household(
            session, actor=actor, member_ids=body["member_ids"], now=now
        )
        return household_out(household_by_id(session, ("/",), household_id))

    return run(act)


@api.post("/households/<id:household_id>/members")
@api.arguments(NewHouseholdPerson)
@api.response(201, HouseholdOut)
@roles_only("administrator", "secretary")
def add_household_person(body: dict[str, Any], household_id: int) -> dict[str, Any]:
    """Add a person to a household; a repeat changes nothing."""
    actor, now = current_actor(), clock.now()

    def act(session: Session) -> dict[str, Any]:
        add_to_household(
            session,
            actor=actor,
            household_id=household_id,
            member_id=body["member_id"],
            now=now,
        )
        return household_out(household_by_id(session, ("/",), household_id))

    return run(act)


@api.delete("/households/<id:household_id>/members/<id:member_id>")
@api.response(204)
@roles_only("administrator", "secretary")
def remove_household_person(household_id: int, member_id: int) -> None:
    """Take a person out of a household."""
    actor = current_actor()
    with transaction() as session:
        remove_from_household(
            session,
            actor=actor,
            household_id=household_id,
            member_id=member_id,
            now=clock.now(),
        )
