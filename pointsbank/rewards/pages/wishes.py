"""The HTML door of wishes: those of one's community, a vote, a new one, the answers."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.db import reading, run, transaction
from pointsbank.merchants.errors import DecisionMissing
from pointsbank.rewards.errors import WishNotFound, WishTitleMissing
from pointsbank.rewards.queries import rewards_within
from pointsbank.rewards.wishes import WishLine, community_of, wish_of, wishes_of, wishes_within
from pointsbank.rewards.wishing import (
    ANSWER_LENGTH_MAX,
    ANSWERERS,
    DECISIONS,
    NOTE_LENGTH_MAX,
    OPEN_WISHES_MAX,
    TITLE_LENGTH_MAX,
    answer_wish,
    vote,
    wish,
)
from pointsbank.rewards.words import WISH_STATE_WORDS
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.forms import attempt, typed, typed_id

pages = Blueprint("wish_pages", __name__)


@pages.get("/reward-wishes")
@members_only
def list_wishes() -> ResponseReturnValue:
    """Show what people of one's community wish for."""
    actor = current_actor()
    with reading() as session:
        place = community_of(session, actor.member_id)
        found = wishes_of(session, place.id, actor.member_id)
    return wish_page(place.name, found)


def wish_page(place: str, found: list[WishLine]) -> ResponseReturnValue:
    """Render the wishes of a community."""
    links = {"back": url_for("reward_pages.catalogue"), "make": url_for("wish_pages.make")}
    if current_actor().is_(*ANSWERERS):
        links["answers"] = url_for("wish_pages.list_unanswered")
    return render_template(
        "rewards/wishes.html",
        place=place,
        wishes=found,
        states=WISH_STATE_WORDS,
        limits={
            "title": TITLE_LENGTH_MAX,
            "note": NOTE_LENGTH_MAX,
            "open": OPEN_WISHES_MAX,
        },
        links=links,
    )


@pages.post("/reward-wishes")
@members_only
def make() -> ResponseReturnValue:
    """Wish for a reward."""
    member_id, now = current_actor().member_id, clock.now()
    title, note_text = typed("title", TITLE_LENGTH_MAX), typed("note", NOTE_LENGTH_MAX)

    def act() -> None:
        if not title:
            raise WishTitleMissing
        run(
            lambda session: wish(
                session, member_id=member_id, title=title, note_text=note_text, now=now
            )
        )

    attempt(act, gettext("Your wish stands on the list, with your vote."))
    return redirect(url_for("wish_pages.list_wishes"), 303)


@pages.post("/reward-wishes/<id:wish_id>/vote")
@members_only
def cast(wish_id: int) -> ResponseReturnValue:
    """Vote for a wish, or take the vote back."""
    member_id, now = current_actor().member_id, clock.now()
    is_wanted = request.form.get("wanted") != "0"
    attempt(
        lambda: run(
            lambda session: vote(
                session, member_id=member_id, wish_id=wish_id, is_wanted=is_wanted, now=now
            )
        ),
        gettext("Your vote counts.") if is_wanted else gettext("Your vote was taken back."),
    )
    return redirect(url_for("wish_pages.list_wishes"), 303)


@pages.get("/reward-wishes/answers")
@roles_only(*ANSWERERS)
def list_unanswered() -> ResponseReturnValue:
    """Show the wishes that wait for an answer, most votes first."""
    actor = current_actor()
    with reading() as session:
        found = wishes_within(session, actor.paths(*ANSWERERS), actor.member_id)
    return render_template(
        "rewards/wish_answers.html",
        wishes=[
            (each, url_for("wish_pages.ask_for_answer", wish_id=each.id)) for each in found
        ],
    )


@pages.get("/reward-wishes/<id:wish_id>/answer")
@roles_only(*ANSWERERS)
def ask_for_answer(wish_id: int) -> ResponseReturnValue:
    """Ask what becomes of a wish."""
    actor = current_actor()
    with reading() as session:
        found = wish_of(session, wish_id, actor.member_id)
        if not actor.oversees(found.path, *ANSWERERS):
            raise WishNotFound
        near = rewards_within(session, found.path)
    nothing = ("", gettext("No reward of the catalogue"))
    return render_template(
        "rewards/wish_answer.html",
        wish=found,
        state=WISH_STATE_WORDS[found.state],
        rewards=[nothing, *((each.id, f"{each.name} · {each.merchant_name}") for each in near)],
        limits={"answer": ANSWER_LENGTH_MAX},
        links={
            "back": url_for("wish_pages.list_unanswered"),
            "save": url_for("wish_pages.answer", wish_id=wish_id),
        },
    )


@pages.post("/reward-wishes/<id:wish_id>/answer")
@roles_only(*ANSWERERS)
def answer(wish_id: int) -> ResponseReturnValue:
    """Answer a wish, and tell those who voted for it."""
    actor, now = current_actor(), clock.now()
    decision = request.form.get("decision", "")

    def act() -> None:
        if decision not in DECISIONS:
            raise DecisionMissing
        with transaction() as session:
            answer_wish(
                session,
                actor=actor,
                wish_id=wish_id,
                decision=decision,
                answer=typed("answer", ANSWER_LENGTH_MAX) or None,
                reward_id=typed_id("reward_id") if decision == "fulfilled" else None,
                now=now,
            )

    attempt(act, gettext("Everyone who voted for it is told."))
    return redirect(url_for("wish_pages.list_unanswered"), 303)
