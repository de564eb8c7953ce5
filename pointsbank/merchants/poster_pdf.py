"""The poster at a shop's till as a PDF: the shop, its code, three steps in two languages."""

from dataclasses import dataclass
from datetime import datetime

from pointsbank.core.posters import WallSheet, wall_sheet_pdf
from pointsbank.core.printing import Font
from pointsbank.web.qr import qr_matrix

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
    is_only_shop = poster.shop == poster.merchant
    sheet = WallSheet(
        organization=poster.organization,
        title=TITLE,
        place=poster.merchant if is_only_shop else f"{poster.merchant} · {poster.shop}",
        detail=poster.address,
        detail_size=16,
        steps=STEPS,
        no_phone=NO_PHONE,
    )
    matrix = qr_matrix(poster.url)
    return wall_sheet_pdf(sheet, matrix, font, name=poster.shop, made_at=made_at)
