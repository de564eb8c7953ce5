"""The poster at a shop's till as a PDF: the shop, its code, three steps in two languages."""

from dataclasses import dataclass
from datetime import datetime

from pointsbank.core.placing import Sheets, side_with_quiet_zone
from pointsbank.core.printing import A4, GREY, RED, Font
from pointsbank.web.qr import qr_matrix

# Read at arm's length over a counter, also when the sheet is cut to a stand of half the size.
QR_MM = 95
LEFT = 18
WIDTH = A4.width - 2 * LEFT
# A poster stands where both are read; it does not follow the language of who prints it.
TITLE = "积分兑换"
STEPS = (
    ("微信扫一扫上面的码", "Scan the code with WeChat"),
    ("选奖品，点“给店员看”", "Choose a reward, tap “Show it”"),
    ("给店员看四位数字", "Show the clerk your four digits"),
)
NO_PHONE = (
    "没有手机？出示纸卡，输入六位密码。  No phone? Show your paper card and type its digits."
)


@dataclass(frozen=True)
class TillPoster:
    """What a poster tells; url is what its code holds."""

    merchant: str
    shop: str
    address: str
    organization: str
    url: str


def till_poster_pdf(poster: TillPoster, font: Font, made_at: datetime) -> bytes:
    """Return the poster, one sheet of A4."""
    sheets = Sheets(font, A4, title=poster.shop, language="zh-CN", made_at=made_at)
    sheets.begin()
    sheets.text(poster.organization, (LEFT, 15), width=WIDTH, size=14, align="C", colour=GREY)
    sheets.text(TITLE, (LEFT, 24), width=WIDTH, size=46, align="C", colour=RED, is_strong=True)
    sheets.line((LEFT, 44), (LEFT + WIDTH, 44), thickness=0.9, colour=RED)
    sheets.line((LEFT, 45.7), (LEFT + WIDTH, 45.7), thickness=0.2, colour=RED)
    name = (
        poster.merchant
        if poster.shop == poster.merchant
        else f"{poster.merchant} · {poster.shop}"
    )
    sheets.text(name, (LEFT, 50), width=WIDTH, size=24, align="C", is_strong=True)
    sheets.text(poster.address, (LEFT, 61), width=WIDTH, size=16, align="C")
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
