"""A wall poster as a PDF: the task, the code, what to do in three lines of two languages."""

from dataclasses import dataclass
from datetime import datetime

from pointsbank.core.placing import Sheets, side_with_quiet_zone
from pointsbank.core.printing import A4, GREY, RED, Font
from pointsbank.web.qr import qr_matrix

# Read from two metres away, over the shoulders of those in front.
QR_MM = 95
LEFT = 18
WIDTH = A4.width - 2 * LEFT
# A poster hangs where both are read; it does not follow the language of who prints it.
STEPS = (
    ("微信扫一扫上面的码", "Scan the code with WeChat"),
    ("输入现场屏幕上的四位数字", "Type the four digits on the screen"),
    ("离开时再扫一次，签退", "Scan again when you leave"),
)
NO_PHONE = "没有手机？把会员号告诉负责人。  No phone? Tell the organizer your member number."


@dataclass(frozen=True)
class Poster:
    """What a poster tells; url is what its code holds, when: the shift's time in words."""

    title: str
    place: str
    when: str
    organization: str
    url: str


def poster_pdf(poster: Poster, font: Font, made_at: datetime) -> bytes:
    """Return the poster, one sheet of A4."""
    sheets = Sheets(font, A4, title=poster.title, language="zh-CN", made_at=made_at)
    sheets.begin()
    sheets.text(poster.organization, (LEFT, 15), width=WIDTH, size=14, align="C", colour=GREY)
    sheets.text(
        poster.title, (LEFT, 24), width=WIDTH, size=46, align="C", colour=RED, is_strong=True
    )
    sheets.line((LEFT, 44), (LEFT + WIDTH, 44), thickness=0.9, colour=RED)
    sheets.line((LEFT, 45.7), (LEFT + WIDTH, 45.7), thickness=0.2, colour=RED)
    sheets.text(poster.place, (LEFT, 50), width=WIDTH, size=24, align="C", is_strong=True)
    sheets.text(poster.when, (LEFT, 61), width=WIDTH, size=18, align="C")
    matrix = qr_matrix(poster.url)
    side = side_with_quiet_zone(matrix, QR_MM)
    sheets.qr(matrix, ((A4.width - side) / 2, 67), QR_MM)
    top = 67 + side
    for number, (chinese, english) in enumerate(STEPS, start=1):
        sheets.text(str(number), (LEFT, top), width=12, size=40, colour=RED, is_strong=True)
        sheets.text(chinese, (LEFT + 16, top), width=WIDTH - 16, size=28, is_strong=True)
        sheets.text(english, (LEFT + 16, top + 12), width=WIDTH - 16, size=16, colour=GREY)
        top += 25
    sheets.text(NO_PHONE, (LEFT, A4.height - 17), width=WIDTH, size=12, align="C", colour=GREY)
    return sheets.as_bytes()
