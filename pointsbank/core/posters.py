"""A sheet for the wall: a title, where it holds, a QR code, three steps in two languages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pointsbank.core.placing import Sheets, side_with_quiet_zone
from pointsbank.core.printing import A4, GREY, RED, Font

# Read from two metres, or at arm's length when the sheet is cut to a stand of half the size.
QR_MM = 95
QR_TOP = 67
LEFT = 18
WIDTH = A4.width - 2 * LEFT
STEP_MM = 25


@dataclass(frozen=True)
class WallSheet:
    """What a sheet tells, from top to bottom; steps in Chinese and English.

    It hangs where both are read, so it does not follow the language of who prints it.
    """

    organization: str
    title: str
    place: str
    detail: str
    detail_size: int
    steps: tuple[tuple[str, str], ...]
    no_phone: str


def wall_sheet_pdf(
    sheet: WallSheet,
    matrix: Sequence[Sequence[bool]],
    font: Font,
    *,
    name: str,
    made_at: datetime,
) -> bytes:
    """Return the sheet, one page of A4. matrix: the code's modules. name: of the document."""
    sheets = Sheets(font, A4, title=name, language="zh-CN", made_at=made_at)
    sheets.begin()
    sheets.text(sheet.organization, (LEFT, 15), width=WIDTH, size=14, align="C", colour=GREY)
    sheets.text(
        sheet.title, (LEFT, 24), width=WIDTH, size=46, align="C", colour=RED, is_strong=True
    )
    sheets.line((LEFT, 44), (LEFT + WIDTH, 44), thickness=0.9, colour=RED)
    sheets.line((LEFT, 45.7), (LEFT + WIDTH, 45.7), thickness=0.2, colour=RED)
    sheets.text(sheet.place, (LEFT, 50), width=WIDTH, size=24, align="C", is_strong=True)
    sheets.text(sheet.detail, (LEFT, 61), width=WIDTH, size=sheet.detail_size, align="C")
    side = side_with_quiet_zone(matrix, QR_MM)
    sheets.qr(matrix, ((A4.width - side) / 2, QR_TOP), QR_MM)
    top = QR_TOP + side
    for number, (chinese, english) in enumerate(sheet.steps, start=1):
        sheets.text(str(number), (LEFT, top), width=12, size=40, colour=RED, is_strong=True)
        sheets.text(chinese, (LEFT + 16, top), width=WIDTH - 16, size=28, is_strong=True)
        sheets.text(english, (LEFT + 16, top + 12), width=WIDTH - 16, size=16, colour=GREY)
        top += STEP_MM
    foot = (LEFT, A4.height - 17)
    sheets.text(sheet.no_phone, foot, width=WIDTH, size=12, align="C", colour=GREY)
    return sheets.as_bytes()
