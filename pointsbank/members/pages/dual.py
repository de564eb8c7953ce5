"""The pages of registrations at home: one's own, those of a side, and deciding on one."""

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day, quarter_before, quarter_of, read_quarter
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound
from pointsbank.core.text import halfwidth
from pointsbank.members import dual_registering
from pointsbank.members.dual_errors import BadFirstDay, RegistrationNotFound
from pointsbank.members.dual_queries import (
    COMMUNITY,
    WORK_UNIT,
    RegistrationFile,
    comment_of,
    places_of_kind,
    registration_of,
    registrations,
    registrations_of_member,
    seen_from,
)
from pointsbank.members.dual_registering import (
    COMMENT_LENGTH_MAX,
    DECIDERS,
    FIRST_DAY_DAYS_MAX,
    PARTY_KINDS,
    READERS,
    Wanted,
)
from pointsbank.members.dual_schemas import (
    CODE_LENGTH_MAX,
    END_REASON_LENGTH_MAX,
    STATE_WORDS,
)
from pointsbank.members.errors import MemberNotFound
from pointsbank.members.policy import day_from
from pointsbank.members.queries import member_id_of_number, member_of
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import cursor_from, positions_from
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import attempt, settings, typed

pages = Blueprint("dual_pages", __name__)

REGISTRATIONS_A_PAGE = 30
# More than people read as a list; beyond it the code is typed.
CHOICES_MAX = 300
DAY_LENGTH_MAX = 20
NUMBER_LENGTH_MAX = 20


def today() -> date:
    """Return the local day."""
    return local_day(clock.now(), settings().zone)


def choices(session: Session) -> dict[str, Any]:
    """Return the communities and units to choose from; nothing where there are too many."""
    found = {
        kind: places_of_kind(session, kind, CHOICES_MAX + 1) for kind in (COMMUNITY, WORK_UNIT)
    }
    return {
        kind: [("", gettext("Please choose")), *places] if len(places) <= CHOICES_MAX else []
        for kind, places in found.items()
    }


def typed_places() -> dict[str, str]:
    """Return the unit and the community that a form names."""
    return {
        name: halfwidth(typed(name, CODE_LENGTH_MAX))
        for name in ("work_unit_code", "community_code")
    }


@pages.get("/me/dual-registration")
@members_only
def show_mine() -> ResponseReturnValue:
    """Show one's own registration, or the form for one."""
    return my_page({}, [])


def my_page(form: dict[str, str], problems: list[tuple[str, str]]) -> ResponseReturnValue:
    """Render one's own page, with what was typed and what was wrong."""
    actor = current_actor()
    with reading() as session:
        mine = registrations_of_member(session, actor.member_id)
        may_apply = member_of(session, actor.member_id).kind in PARTY_KINDS
        offered = choices(session) if may_apply else {}
    alive = next((each for each in mine if each.state != "ended"), None)
    page = render_template(
        "members/dual_mine.html",
        alive=alive,
        before=[each for each in mine if each.state == "ended"],
        may_apply=may_apply,
        words=STATE_WORDS,
        form=form,
        problems=problems,
        choices=offered,
        limits={"reason": END_REASON_LENGTH_MAX, "code": CODE_LENGTH_MAX},
    )
    return page, 422 if problems else 200


@pages.post("/me/dual-registration")
@members_only
def apply_at_home() -> ResponseReturnValue:
    """Register with the community one lives in."""
    actor, now, form = current_actor(), clock.now(), typed_places()
    wanted = Wanted(**form, is_named=request.form.get("is_named") == "1")
    try:
        run(
            lambda session: dual_registering.apply_at_home(
                session, actor=actor, wanted=wanted, now=now
            )
        )
    except (Invalid, Conflict, NotAllowed) as refusal:
        return my_page(form, [("", sentence_of(refusal))])
    flash(gettext("Sent to the community. You see here when it has accepted."), "success")
    return redirect(url_for("dual_pages.show_mine"), 303)


@pages.post("/me/dual-registration/naming")
@members_only
def set_naming() -> ResponseReturnValue:
    """Agree to be named to one's work unit, or take that back."""
    actor, now, is_named = current_actor(), clock.now(), request.form.get("is_named") == "1"
    run(
        lambda session: dual_registering.set_naming(
            session, actor=actor, is_named=is_named, now=now
        )
    )
    flash(
        gettext("Your unit reads your hours with your name from now on.")
        if is_named
        else gettext("Your name is no longer told to your unit."),
        "success",
    )
    return redirect(url_for("dual_pages.show_mine"), 303)


@pages.get("/dual-registrations")
@roles_only(*READERS)
def list_registrations() -> ResponseReturnValue:
    """List the registrations of one's communities and work units."""
    actor = current_actor()
    after = positions_from(request.args.get("cursor"), 2)
    with reading() as session:
        found = registrations(
            session,
            seen_from(actor.paths(*READERS)),
            after=after,
            limit=REGISTRATIONS_A_PAGE + 1,
        )
    shown, here = found[:REGISTRATIONS_A_PAGE], url_for("dual_pages.list_registrations")
    return render_template(
        "members/duals.html",
        registrations=shown,
        words=STATE_WORDS,
        may_enter=actor.is_(*DECIDERS),
        links={
            "next": len(found) > REGISTRATIONS_A_PAGE
            and f"{here}?cursor={cursor_from(shown[-1].rank, shown[-1].id)}",
            "first": here if after else "",
        },
    )


@pages.get("/dual-registrations/new")
@roles_only(*DECIDERS)
def ask_for_registration() -> ResponseReturnValue:
    """Ask whom to register, with which unit and community."""
    return entering_page({"first_on": today().isoformat()}, [])


def entering_page(form: dict[str, str], problems: list[tuple[str, str]]) -> ResponseReturnValue:
    """Render the form, with what was typed and what was wrong."""
    with reading() as session:
        offered = choices(session)
    page = render_template(
        "members/new_dual.html",
        form=form,
        problems=problems,
        errors=dict(problems),
        choices=offered,
        limits={"code": CODE_LENGTH_MAX, "number": NUMBER_LENGTH_MAX},
    )
    return page, 422 if problems else 200


@pages.post("/dual-registrations/new")
@roles_only(*DECIDERS)
def enter_registration() -> ResponseReturnValue:
    """Register a member by number, and show the registration."""
    actor, now, places = current_actor(), clock.now(), typed_places()
    number, first_on = typed("volunteer_no", NUMBER_LENGTH_MAX), day_typed()
    wanted = Wanted(**places, is_named=request.form.get("is_named") == "1")

    def act(session: Session) -> int:
        member_id = member_id_of_number(session, halfwidth(number))
        if member_id is None:
            raise MemberNotFound
        if first_on is None:
            raise BadFirstDay(days=FIRST_DAY_DAYS_MAX)
        return dual_registering.enter_registration(
            session,
            actor=actor,
            member_id=member_id,
            wanted=wanted,
            first_on=first_on,
            today=today(),
            now=now,
        )

    form = {
        **places,
        "volunteer_no": number,
        "first_on": typed("first_on", DAY_LENGTH_MAX),
        "is_named": request.form.get("is_named", ""),
    }
    try:
        made = run(act)
    except NotFound:
        sentence = gettext("No member within your scope has this number.")
        return entering_page(form, [("volunteer_no", str(sentence))])
    except (Invalid, Conflict, NotAllowed) as refusal:
        return entering_page(form, [("", sentence_of(refusal))])
    flash(gettext("The registration was entered."), "success")
    return redirect(url_for("dual_pages.show_registration", registration_id=made), 303)


@pages.get("/dual-registrations/<id:registration_id>")
@roles_only(*READERS)
def show_registration(registration_id: int) -> ResponseReturnValue:
    """Show one registration, and to each side what it may do."""
    actor = current_actor()
    with reading() as session:
        found = registration_of(session, registration_id, actor.paths(*READERS))
        if found is None:
            raise RegistrationNotFound
        quarters = quarters_of(found)
        comments = {name: comment_of(session, found.id, name) for name in quarters}
    deciding = actor.paths(*DECIDERS) if found.member_id != actor.member_id else ()
    return render_template(
        "members/dual.html",
        registration=found,
        state_word=STATE_WORDS[found.state],
        today=today(),
        quarters=quarters,
        comments=comments,
        at_home=found.is_at_home(deciding),
        at_work=found.is_at_work(deciding),
        limits={"reason": END_REASON_LENGTH_MAX, "comment": COMMENT_LENGTH_MAX},
    )


def quarters_of(found: RegistrationFile) -> list[str]:
    """Return the running quarter and the one before, where the person was registered."""
    running = quarter_of(today())
    if found.from_on is None:
        return []
    return [
        period.name
        for period in (running, quarter_before(running))
        if found.from_on < period.end_on
        and (found.until_on is None or found.until_on > period.first_on)
    ]


def day_typed() -> date | None:
    """Return the first day that a form names, None for what is none."""
    return day_from(typed("first_on", DAY_LENGTH_MAX))


@pages.post("/dual-registrations/<id:registration_id>/acceptance")
@roles_only(*DECIDERS)
def accept_registration(registration_id: int) -> ResponseReturnValue:
    """Accept an application at its community."""
    first_on = day_typed()

    def act(session: Session) -> None:
        if first_on is None:
            raise BadFirstDay(days=FIRST_DAY_DAYS_MAX)
        dual_registering.accept_registration(
            session,
            actor=current_actor(),
            registration_id=registration_id,
            first_on=first_on,
            today=today(),
            now=clock.now(),
        )

    attempt(lambda: run(act), gettext("Accepted."))
    return redirect(shown(registration_id), 303)


@pages.post("/dual-registrations/<id:registration_id>/confirmation")
@roles_only(*DECIDERS)
def confirm_registration(registration_id: int) -> ResponseReturnValue:
    """Say for the work unit that the person is one of theirs."""
    actor, now = current_actor(), clock.now()
    attempt(
        lambda: run(
            lambda session: dual_registering.confirm_registration(
                session, actor=actor, registration_id=registration_id, now=now
            )
        ),
        gettext("Confirmed."),
    )
    return redirect(shown(registration_id), 303)


@pages.post("/dual-registrations/<id:registration_id>/end")
@members_only
def end_registration(registration_id: int) -> ResponseReturnValue:
    """End a registration, or refuse an application."""
    actor, now = current_actor(), clock.now()
    reason = typed("reason", END_REASON_LENGTH_MAX)
    here = shown(registration_id) if actor.is_(*READERS) else url_for("dual_pages.show_mine")
    if request.form.get("from") == "me":
        here = url_for("dual_pages.show_mine")
    if not reason:
        flash(gettext("Please say why it ends."), "error")
        return redirect(here, 303)
    attempt(
        lambda: run(
            lambda session: dual_registering.end_registration(
                session,
                actor=actor,
                registration_id=registration_id,
                reason=reason,
                today=today(),
                now=now,
            )
        ),
        gettext("Ended."),
    )
    return redirect(here, 303)


@pages.post("/dual-registrations/<id:registration_id>/comment")
@roles_only(*DECIDERS)
def write_comment(registration_id: int) -> ResponseReturnValue:
    """Write what the sheet to the work unit says of one person's quarter."""
    actor, now = current_actor(), clock.now()
    comment, name = typed("comment", COMMENT_LENGTH_MAX), typed("period", DAY_LENGTH_MAX)
    if not comment:
        flash(gettext("Please write the comment."), "error")
        return redirect(shown(registration_id), 303)
    attempt(
        lambda: run(
            lambda session: dual_registering.write_comment(
                session,
                actor=actor,
                registration_id=registration_id,
                period=read_quarter(name),
                comment=comment,
                now=now,
            )
        ),
        gettext("The comment was saved."),
    )
    return redirect(shown(registration_id), 303)


def shown(registration_id: int) -> str:
    """Return the address of a registration."""
    return url_for("dual_pages.show_registration", registration_id=registration_id)
