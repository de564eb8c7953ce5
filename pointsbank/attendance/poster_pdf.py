"""A wall poster as a PDF: the task, the code, what to do in three lines of two languages."""

from dataclasses import dataclass
from datetime import datetime

from pointsbank.core.posters import WallSheet, wall_sheet_pdf
from pointsbank.core.printing import Font
from pointsbank.web.qr import qr_matrix

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
    sheet = WallSheet(
        organization=poster.organization,
        title=poster.title,
        place=poster.place,
        detail=poster.when,
        detail_size=18,
        steps=STEPS,
        no_phone=NO_PHONE,
    )
    matrix = qr_matrix(poster.url)
    return wall_sheet_pdf(sheet, matrix, font, name=poster.title, made_at=made_at)
