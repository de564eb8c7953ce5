"""The HTML door of paper cards for many people: for whom, the question, the PDF."""

from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.codes import Purpose, url_of
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Invalid, NotAllowed, NotFound, Refusal
from pointsbank.core.keys import draw_bytes
from pointsbank.core.printing import NoPrintFont, find_font
from pointsbank.members import codes
from pointsbank.members.card_pdf import CardWords, PrintedCard, cards_pdf
from pointsbank.members.carding import (
    CARD_GIVERS,
    CARDS_MAX,
    Holder,
    holders_by_ids,
    holders_by_numbers,
    holders_of_organization,
    issue_cards,
)
from pointsbank.members.errors import NobodyForCards
from pointsbank.members.schemas import CODE_LENGTH_MAX
from pointsbank.organizations.queries import organizations_at
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import ID_MAX
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import settings, typed
from pointsbank.web.languages import locale_name

pages = Blueprint("card_pages", __name__)

NUMBERS_TYPED_MAX = CARDS_MAX * 22


@pages.get("/cards")
@roles_only(*CARD_GIVERS)
def ask_for_whom() -> ResponseReturnValue:
    """Ask for whom cards are to be printed."""
    return whom_page({})


def whom_page(words: dict[str, str], refusal: Refusal | None = None) -> ResponseReturnValue:
    """Render the first question, with what was typed and what was wrong with it."""
    with reading() as session:
        places = organizations_at(session, current_actor().paths(*CARD_GIVERS))
    page = render_template(
        "members/cards.html",
        words=words,
        places=places,
        most=CARDS_MAX,
        error=sentence_of(refusal) if refusal else "",
    )
    return page, status_of(refusal) if refusal else 200


@pages.post("/cards/question")
@roles_only(*CARD_GIVERS)
def ask_first() -> ResponseReturnValue:
    """Show who would get a card and how many old ones would die; nothing is issued yet."""
    words = {
        "organization_code": typed("organization_code", CODE_LENGTH_MAX),
        "numbers": typed("numbers", NUMBERS_TYPED_MAX),
    }
    try:
        holders = chosen_by_words(current_actor(), words)
    except (Invalid, NotAllowed, NotFound) as refusal:
        return whom_page(words, refusal)
    return render_template(
        "members/cards_question.html",
        holders=holders,
        old_cards=sum(holder.old_cards for holder in holders),
        with_pin=sum(holder.with_pin for holder in holders),
        links={"back": url_for("card_pages.ask_for_whom")},
    )


def chosen_by_words(actor: Actor, words: dict[str, str]) -> list[Holder]:
    """Return whom the first question's answer names.

    Raises what carding raises, NobodyForCards for an empty answer.
    """
    numbers = words["numbers"].replace(",", " ").replace("，", " ").replace("、", " ").split()
    with reading() as session:
        if numbers:
            return holders_by_numbers(session, actor, numbers)
        if words["organization_code"]:
            return holders_of_organization(session, actor, words["organization_code"])
    raise NobodyForCards


@pages.post("/cards")
@roles_only(*CARD_GIVERS)
def print_cards() -> ResponseReturnValue:
    """Issue the cards and answer them as a PDF, which cannot be had again.

    The PDF is finished before anything is issued: nobody's old card dies for a new one that
    could not be printed.
    """
    actor, secret, now = current_actor(), settings().secret_key, clock.now()
    try:
        font = find_font(settings().pdf_font)
        with reading() as session:
            holders = holders_by_ids(session, actor, ticked_ids())
        numbers = {holder.member_id: draw_bytes(codes.CARD_NUMBER_BYTES) for holder in holders}
        cards = [printed_card(holder, numbers[holder.member_id]) for holder in holders]
        pdf = cards_pdf(cards, card_words(), font, now)

        def act(session: Session) -> object:
            return issue_cards(session, actor=actor, numbers=numbers, secret=secret, now=now)

        run(act)
    except (Invalid, NotAllowed, NotFound, NoPrintFont) as refusal:
        return whom_page({}, refusal)
    response = Response(pdf, mimetype="application/pdf")
    response.headers.set("Content-Disposition", "attachment", filename="cards.pdf")
    return response


def ticked_ids() -> list[int]:
    """Return whose boxes stayed ticked.

    Raises NobodyForCards.
    """
    texts = request.form.getlist("member_id")[: CARDS_MAX + 1]
    ids = [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 20]
    if not ids or max(ids) > ID_MAX:
        raise NobodyForCards
    return ids


def printed_card(holder: Holder, number: bytes) -> PrintedCard:
    """Return what stands on a card with this number."""
    text = codes.card_text(settings().secret_key, number)
    return PrintedCard(
        holder.name,
        holder.volunteer_no,
        holder.organization_name,
        url_of(settings().public_url, Purpose.CARD, text),
    )


def card_words() -> CardWords:
    """Return the words on every card, in the language of this request."""
    words: dict[str, Any] = {
        "title": gettext("Volunteer's card"),
        "number": gettext("Member no."),
        "use": gettext("Show this card at check-in."),
        "lost": gettext("Lost or found? Tell the branch: the card is revoked at once."),
    }
    language = "zh-CN" if locale_name() == "zh" else "en"
    return CardWords(language=language, **{name: str(word) for name, word in words.items()})
