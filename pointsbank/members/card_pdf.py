"""Paper cards as a PDF: eight on a sheet of A4, with marks to cut along."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pointsbank.core.placing import Sheets, side_with_quiet_zone
from pointsbank.core.printing import A4, BLACK, GREY, RED, Font
from pointsbank.web.qr import qr_matrix

# ISO/IEC 7810 ID-1: a card of this size fits every purse and every lanyard's sleeve.
CARD_WIDTH, CARD_HEIGHT = 85.6, 53.98
ACROSS, DOWN = 2, 4
CARDS_A_SHEET = ACROSS * DOWN
# Big enough for an old phone's camera at arm's length; the quiet zone comes on top.
QR_MM = 30
INSET = 4.5
CUT_GAP, CUT_LENGTH = 1.5, 5


@dataclass(frozen=True)
class PrintedCard:
    """What stands on one card; url is what its code holds."""

    name: str
    volunteer_no: str
    organization_name: str
    url: str


@dataclass(frozen=True)
class CardWords:
    """What stands on every card, in the printer's language. language: zh-CN or en."""

    language: str
    title: str
    number: str
    use: str
    lost: str


def cards_pdf(
    cards: Sequence[PrintedCard], words: CardWords, font: Font, made_at: datetime
) -> bytes:
    """Return the PDF, the cards in their order, row by row."""
    sheets = Sheets(font, A4, title=words.title, language=words.language, made_at=made_at)
    left = (A4.width - ACROSS * CARD_WIDTH) / 2
    top = (A4.height - DOWN * CARD_HEIGHT) / 2
    for number, card in enumerate(cards):
        place = number % CARDS_A_SHEET
        if place == 0:
            sheets.begin()
            cut_marks(sheets, left, top)
        x = left + place % ACROSS * CARD_WIDTH
        y = top + place // ACROSS * CARD_HEIGHT
        one_card(sheets, card, words, x, y)
    return sheets.as_bytes()


def cut_marks(sheets: Sheets, left: float, top: float) -> None:
    """Draw short lines outside of the cards where a ruler is laid along their edges."""
    right, bottom = left + ACROSS * CARD_WIDTH, top + DOWN * CARD_HEIGHT
    for column in range(ACROSS + 1):
        x = left + column * CARD_WIDTH
        sheets.line((x, top - CUT_GAP - CUT_LENGTH), (x, top - CUT_GAP), colour=GREY)
        sheets.line((x, bottom + CUT_GAP), (x, bottom + CUT_GAP + CUT_LENGTH), colour=GREY)
    for row in range(DOWN + 1):
        y = top + row * CARD_HEIGHT
        sheets.line((left - CUT_GAP - CUT_LENGTH, y), (left - CUT_GAP, y), colour=GREY)
        sheets.line((right + CUT_GAP, y), (right + CUT_GAP + CUT_LENGTH, y), colour=GREY)


def one_card(sheets: Sheets, card: PrintedCard, words: CardWords, x: float, y: float) -> None:
    """Print one card: the words on the left, the code on the right."""
    matrix = qr_matrix(card.url)
    side = side_with_quiet_zone(matrix, QR_MM)
    width = CARD_WIDTH - INSET - side
    sheets.text(
        words.title, (x + INSET, y + 5), width=width, size=10, colour=RED, is_strong=True
    )
    sheets.line((x + INSET, y + 10), (x + INSET + width - 2, y + 10), thickness=0.4, colour=RED)
    sheets.text(card.name, (x + INSET, y + 13.5), width=width, size=17, is_strong=True)
    sheets.text(words.number, (x + INSET, y + 22.5), width=width, size=8, colour=GREY)
    sheets.text(card.volunteer_no, (x + INSET, y + 26), width=width, size=14, colour=BLACK)
    sheets.text(card.organization_name, (x + INSET, y + 33.5), width=width, size=8, colour=GREY)
    sheets.qr(matrix, (x + CARD_WIDTH - side, y + (CARD_HEIGHT - side) / 2 - 3), QR_MM)
    whole = CARD_WIDTH - 2 * INSET
    sheets.text(words.use, (x + INSET, y + 43), width=whole, size=8.5)
    sheets.text(words.lost, (x + INSET, y + 47), width=whole, size=7, colour=GREY)
