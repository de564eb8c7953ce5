"""The HTML door of those who look after people: the list, one person, cards, the import."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import local_day
from pointsbank.core.codes import Purpose, url_of
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.errors import Conflict, Invalid, NotAllowed
from pointsbank.core.keys import draw_bytes
from pointsbank.core.tables import BadTable
from pointsbank.core.text import masked_phone, phone_from
from pointsbank.members import codes, passwords
from pointsbank.members.abilities_queries import abilities_file
from pointsbank.members.appointing import appoint, dismiss, give_card, reopen, stop, take_card
from pointsbank.members.errors import BadCardPin, HouseholdNotFound, MemberNotFound
from pointsbank.members.households import KEEPERS, join_by_number, remove_from_household
from pointsbank.members.importing import hashed_passwords, import_members, read_members
from pointsbank.members.moving import MOVERS
from pointsbank.members.policy import APPOINTERS, appointing_roles
from pointsbank.members.queries import (
    HouseholdFile,
    MemberFile,
    good_cards,
    has_no_password,
    household_of,
    member_in_scope,
    members_within,
    standing_roles,
)
from pointsbank.members.schemas import (
    CODE_LENGTH_MAX,
    KIND_WORDS,
    NAME_LENGTH_MAX,
    PHONE_LENGTH_MAX,
    ROLE_WORDS,
    VOLUNTEER_NO_LENGTH_MAX,
    is_pin,
)
from pointsbank.organizations.errors import OrganizationNotFound
from pointsbank.organizations.queries import merchants_within
from pointsbank.web.access import current_actor, roles_only, takes_files
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import attempt, settings, typed, typed_id
from pointsbank.web.qr import qr_svg
from pointsbank.web.uploads import IMPORT_BYTES_MAX, FileMissing, read_upload, report_out

pages = Blueprint("people_pages", __name__)

PAGE_LINES = 50
READERS = ("administrator", "secretary")
CARD_GIVERS = ("administrator", "organizer")
LOOKERS = ("administrator", "secretary", "organizer")


@pages.get("/members")
@roles_only(*READERS)
def list_members() -> ResponseReturnValue:
    """List the people within the scope of whoever looks."""
    after_id = position_from(request.args.get("cursor")) or 0
    with reading() as session:
        found = members_within(
            session,
            current_actor().paths(*READERS),
            after_id=after_id,
            limit=PAGE_LINES + 1,
        )
    return list_page(found, {}, is_later_page=after_id > 0)


@pages.post("/members")
@roles_only(*READERS)
def search_members() -> ResponseReturnValue:
    """Look for people; by a form, since nothing personal stands in a URL."""
    words = {
        "phone": typed("phone", PHONE_LENGTH_MAX),
        "name": typed("name", NAME_LENGTH_MAX),
        "volunteer_no": typed("volunteer_no", VOLUNTEER_NO_LENGTH_MAX),
    }
    phone = phone_from(words["phone"])
    if words["phone"] and phone is None:
        return list_page([], words)
    with reading() as session:
        found = members_within(
            session,
            current_actor().paths(*READERS),
            phone=phone,
            name=words["name"] or None,
            volunteer_no=words["volunteer_no"] or None,
            limit=PAGE_LINES,
        )
    return list_page(found, words)


def list_page(
    found: list[MemberFile], words: dict[str, str], *, is_later_page: bool = False
) -> str:
    """Render a page of people, with what was looked for."""
    here = url_for("people_pages.list_members")
    shown = found[:PAGE_LINES]
    more = f"{here}?cursor={cursor_from(shown[-1].id)}" if len(found) > PAGE_LINES else ""
    return render_template(
        "members/list.html",
        members=shown,
        words=words,
        kinds=KIND_WORDS,
        may_propose=bool(current_actor().paths(*MOVERS)),
        links={"next": more, "first": here if is_later_page else ""},
    )


@pages.get("/members/<id:member_id>")
@roles_only(*LOOKERS)
def show_member(member_id: int) -> ResponseReturnValue:
    """Show one person to those who look after them; an organizer sees the masked name only."""
    return person_page(member_id)


def person_page(member_id: int, words: dict[str, str] | None = None) -> str:
    """Render one person, with what was typed for a role that could not be given."""
    actor = current_actor()
    with reading() as session:
        member = member_in_scope(session, actor.paths(*LOOKERS), member_id)
        roles = standing_roles(session, member_id)
        cards = good_cards(session, member_id)
        merchants = merchants_within(session, actor.paths("administrator"))
        household = household_of(session, member_id)
        abilities = abilities_file(session, member_id)
        lacks_password = has_no_password(session, member_id)
    may_read = actor.oversees(member.path, *READERS)
    may_give = [
        role for role in ROLE_WORDS if actor.oversees(member.path, *appointing_roles(role))
    ]
    phone = masked_phone(member.phone) if member.phone and may_read else ""
    return render_template(
        "members/person.html",
        member=member,
        name=member.name if may_read else member.display_name,
        phone=phone,
        roles=roles,
        cards=cards,
        kinds=KIND_WORDS,
        role_words=ROLE_WORDS,
        may_give=may_give,
        role_choices=[(role, ROLE_WORDS[role]) for role in may_give],
        may_appoint=actor.oversees(member.path, "administrator"),
        may_give_cards=actor.oversees(member.path, *CARD_GIVERS),
        is_self=member_id == actor.member_id,
        merchants=[("", gettext("none")), *((str(m.id), m.name) for m in merchants)],
        words=words or {},
        may_read=may_read,
        may_open_file=actor.oversees(member.path, "secretary"),
        may_activate=lacks_password and may_read,
        household=household_rows(actor, household),
        abilities=abilities,
        today=local_day(clock.now(), settings().zone),
        may_keep_household=may_read
        and actor.member_id not in (*(household.member_ids if household else ()), member_id),
    )


def household_rows(actor: Actor, household: HouseholdFile | None) -> list[dict[str, Any]]:
    """Return the people of a household, those with their full names whom the actor may read."""
    return [
        {
            "id": person.id,
            "name": person.name
            if actor.oversees(person.path, *READERS)
            else person.display_name,
            "volunteer_no": person.volunteer_no,
            "may_look": actor.oversees(person.path, *LOOKERS),
        }
        for person in (household.people if household else ())
    ]


def back_to(member_id: int) -> ResponseReturnValue:
    """Go back to a person's page."""
    return redirect(url_for("people_pages.show_member", member_id=member_id))


@pages.post("/members/<id:member_id>/roles")
@roles_only(*APPOINTERS)
def give_role(member_id: int) -> ResponseReturnValue:
    """Give a person a role, and say so."""
    actor, now = current_actor(), clock.now()
    role = request.form.get("role", "")
    is_clerk = role == "clerk"
    merchant_id = typed_id("merchant_id")
    code = typed("organization_code", CODE_LENGTH_MAX)

    try:
        run(
            lambda session: appoint(
                session,
                actor=actor,
                member_id=member_id,
                role=role,
                organization_code=None if is_clerk else code or None,
                merchant_id=merchant_id if is_clerk else None,
                now=now,
            )
        )
    except (Invalid, Conflict, NotAllowed, OrganizationNotFound) as refusal:
        flash(sentence_of(refusal), "error")
        words = {"role": role, "organization_code": code, "merchant_id": str(merchant_id or "")}
        return person_page(member_id, words), status_of(refusal)
    flash(gettext("The role was given."), "success")
    return back_to(member_id)


@pages.post("/members/<id:member_id>/roles/<id:role_id>/withdrawal")
@roles_only(*APPOINTERS)
def take_role(member_id: int, role_id: int) -> ResponseReturnValue:
    """Take a role back; the person is signed out everywhere."""
    actor = current_actor()

    def act() -> None:
        with transaction() as session:
            dismiss(session, actor=actor, member_id=member_id, role_id=role_id, now=clock.now())

    attempt(act, gettext("The role was taken back, and the person signed out."))
    return back_to(member_id)


@pages.post("/members/<id:member_id>/suspension")
@roles_only("administrator")
def suspend(member_id: int) -> ResponseReturnValue:
    """Stop an account; the person is signed out everywhere."""
    actor, now = current_actor(), clock.now()

    def act() -> None:
        with transaction() as session:
            stop(
                session,
                actor=actor,
                member_id=member_id,
                now=now,
                today=local_day(now, settings().zone),
            )

    attempt(act, gettext("The account was stopped, and the person signed out."))
    return back_to(member_id)


@pages.post("/members/<id:member_id>/activation")
@roles_only("administrator")
def activate(member_id: int) -> ResponseReturnValue:
    """Open a stopped account again."""
    actor, now = current_actor(), clock.now()

    def act() -> None:
        with transaction() as session:
            reopen(
                session,
                actor=actor,
                member_id=member_id,
                now=now,
                today=local_day(now, settings().zone),
            )

    attempt(act, gettext("The account is open again."))
    return back_to(member_id)


@pages.post("/members/<id:member_id>/cards")
@roles_only(*CARD_GIVERS)
def new_card(member_id: int) -> ResponseReturnValue:
    """Issue a paper card and show it, this once, to be printed."""
    actor, secret = current_actor(), settings().secret_key
    pin = typed("pin", CODE_LENGTH_MAX)
    number = draw_bytes(codes.CARD_NUMBER_BYTES)

    def act() -> None:
        if pin and not is_pin(pin):
            raise BadCardPin
        with transaction() as session:
            give_card(
                session,
                actor=actor,
                member_id=member_id,
                number=number,
                pin=pin or None,
                secret=secret,
                now=clock.now(),
            )

    if not attempt(act, gettext("The card was issued. Print it now; it is shown this once.")):
        return back_to(member_id)
    with reading() as session:
        member = member_in_scope(session, actor.paths(*CARD_GIVERS), member_id)
    url = url_of(settings().public_url, Purpose.CARD, codes.card_text(secret, number))
    return render_template(
        "members/card.html", member=member, svg=qr_svg(url), has_pin=bool(pin)
    )


@pages.post("/members/<id:member_id>/cards/<id:card_id>/revocation")
@roles_only(*CARD_GIVERS)
def revoke_card(member_id: int, card_id: int) -> ResponseReturnValue:
    """Make a card dead at once."""
    actor = current_actor()

    def act() -> None:
        with transaction() as session:
            take_card(
                session, actor=actor, member_id=member_id, card_id=card_id, now=clock.now()
            )

    attempt(act, gettext("The card is no longer valid."))
    return back_to(member_id)


@pages.post("/members/<id:member_id>/household")
@roles_only(*KEEPERS)
def add_to_family(member_id: int) -> ResponseReturnValue:
    """Put another person into this person's household, registering it where there is none."""
    actor, now = current_actor(), clock.now()
    number = typed("household_no", VOLUNTEER_NO_LENGTH_MAX)
    with reading() as session:
        member_in_scope(session, actor.paths(*KEEPERS), member_id)
    try:
        run(
            lambda session: join_by_number(
                session, actor=actor, member_id=member_id, volunteer_no=number, now=now
            )
        )
    except (Invalid, Conflict, NotAllowed, MemberNotFound) as refusal:
        flash(sentence_of(refusal), "error")
        return person_page(member_id, {"household_no": number}), status_of(refusal)
    flash(gettext("They belong to one household now."), "success")
    return back_to(member_id)


@pages.post("/members/<id:member_id>/household/<id:person_id>/removal")
@roles_only(*KEEPERS)
def remove_from_family(member_id: int, person_id: int) -> ResponseReturnValue:
    """Take a person out of this person's household."""
    actor = current_actor()

    def act() -> None:
        with transaction() as session:
            member_in_scope(session, actor.paths(*KEEPERS), member_id)
            household = household_of(session, member_id)
            if household is None:
                raise HouseholdNotFound
            remove_from_household(
                session,
                actor=actor,
                household_id=household.id,
                member_id=person_id,
                now=clock.now(),
            )

    attempt(act, gettext("The person no longer belongs to this household."))
    return back_to(member_id)


@pages.get("/members/import")
@roles_only(*READERS)
def ask_for_people() -> ResponseReturnValue:
    """Ask for a file of people."""
    return import_page(None)


@pages.post("/members/import")
@takes_files(IMPORT_BYTES_MAX)
@roles_only(*READERS)
def import_people() -> ResponseReturnValue:
    """Import a file of people, or only judge it, and show the report."""
    actor = current_actor()
    is_dry_run = "dry_run" in request.form
    try:
        report = imported(actor, is_dry_run=is_dry_run)
    except (BadTable, FileMissing) as refusal:
        has_report = "rejected" in refusal.facts
        return import_page(
            refusal.facts if has_report else None,
            error="" if has_report else sentence_of(refusal),
            is_dry_run=is_dry_run,
            status=status_of(refusal),
        )
    return import_page(report, is_dry_run=is_dry_run)


def imported(actor: Actor, *, is_dry_run: bool) -> dict[str, Any]:
    """Import the uploaded file and return the report.

    Raises BadTable, FileMissing.
    """
    table, problems = read_upload(read_members)
    now = clock.now()
    given: dict[str, Any] = {
        "table": table,
        "paths": actor.paths(*READERS),
        "draw_handle": draw_bytes,
        "actor_id": actor.member_id,
        "now": now,
        "today": local_day(now, settings().zone),
    }
    with reading() as session:
        report = import_members(
            session, problems=problems, password_hashes={}, is_dry_run=True, **given
        )
    if is_dry_run or report.rejected:
        return report_out(report)
    hashes = hashed_passwords(table, passwords.hasher_for(is_cheap=settings().argon2_cheap))
    return report_out(
        run(lambda session: import_members(session, password_hashes=hashes, **given))
    )


def import_page(
    report: dict[str, Any] | None,
    *,
    error: str = "",
    is_dry_run: bool = True,
    status: int = 200,
) -> ResponseReturnValue:
    """Render the import's page, with a report when there is one."""
    page = render_template(
        "members/import.html", report=report, error=error, dry_run=is_dry_run
    )
    return page, status
