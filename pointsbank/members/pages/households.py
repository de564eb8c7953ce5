"""The HTML door of households, on the page of one of their people."""

from flask import Blueprint, flash
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.errors import Conflict, Invalid, NotAllowed
from pointsbank.members.errors import HouseholdNotFound, MemberNotFound
from pointsbank.members.households import KEEPERS, join_by_number, remove_from_household
from pointsbank.members.pages.people import back_to, person_page
from pointsbank.members.queries import household_of, member_in_scope
from pointsbank.members.schemas import VOLUNTEER_NO_LENGTH_MAX
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import attempt, typed

pages = Blueprint("household_pages", __name__)


@pages.post("/members/<id:member_id>/household")
@roles_only(*KEEPERS)
def add_person(member_id: int) -> ResponseReturnValue:
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
def remove_person(member_id: int, person_id: int) -> ResponseReturnValue:
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
