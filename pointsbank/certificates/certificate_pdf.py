"""The certificate of a volunteer star as a PDF, one sheet of A4 across."""

from dataclasses import dataclass
from datetime import date, datetime

from pointsbank.core.placing import Sheets, side_with_quiet_zone
from pointsbank.core.printing import BLACK, GREY, RED, Font, Paper
from pointsbank.web.qr import qr_matrix

A4_ACROSS = Paper(297, 210, 18, 12)
QR_MM = 30
INSET = 14
WIDTH = A4_ACROSS.width - 2 * INSET
CHINESE = "零一二三四五"

# It is shown to others, so it does not follow the language of who prints it.
TITLE, TITLE_EN = "星级志愿者证书", "Volunteer Star Certificate"


@dataclass(frozen=True)
class Certificate:
    """What a certificate says; url is where its number is looked up."""

    name: str
    volunteer_no: str
    organization: str
    stars: int
    hours_needed: int
    number: str
    awarded_on: date
    url: str

    @property
    def sentence(self) -> str:
        """The sentence of the award."""
        return (
            f"志愿服务累计满 {self.hours_needed} 小时，经本人申请、公示无异议，"
            f"评定为{CHINESE[self.stars]}星级志愿者。"
        )

    @property
    def day(self) -> str:
        """The day of the award, as it is written under a certificate."""
        return f"{self.awarded_on.year}年{self.awarded_on.month}月{self.awarded_on.day}日"


def certificate_pdf(paper: Certificate, font: Font, made_at: datetime) -> bytes:
    """Return the certificate, one page."""
    sheets = Sheets(font, A4_ACROSS, title=TITLE, language="zh-CN", made_at=made_at)
    sheets.begin()
    frame(sheets)
    centred(sheets, TITLE, 30, 40, RED)
    centred(sheets, TITLE_EN, 49, 13, GREY)
    centred(sheets, "★" * paper.stars + "☆" * (5 - paper.stars), 59, 30, RED)
    centred(sheets, paper.name, 80, 34, BLACK)
    centred(sheets, f"志愿者编号 {paper.volunteer_no}", 97, 13, GREY)
    centred(sheets, paper.sentence, 110, 18, BLACK)
    centred(
        sheets,
        f"{paper.hours_needed} hours of volunteer service, applied for and publicly announced",
        121,
        11,
        GREY,
    )
    foot(sheets, paper)
    return sheets.as_bytes()


def frame(sheets: Sheets) -> None:
    """Draw the double frame."""
    for inset, thickness in ((9, 1.2), (11, 0.3)):
        right, bottom = A4_ACROSS.width - inset, A4_ACROSS.height - inset
        corners = ((inset, inset), (right, inset), (right, bottom), (inset, bottom))
        for begins, ends in zip(corners, (*corners[1:], corners[0]), strict=True):
            sheets.line(begins, ends, thickness=thickness, colour=RED)


def centred(
    sheets: Sheets, text: str, top: float, size: float, colour: tuple[int, int, int]
) -> None:
    """Print a line in the middle of the sheet."""
    sheets.text(
        text,
        (INSET, top),
        width=WIDTH,
        size=size,
        align="C",
        colour=colour,
        is_strong=size > 20,
    )


def foot(sheets: Sheets, paper: Certificate) -> None:
    """Print number and code on the left, who awarded it and when on the right."""
    matrix = qr_matrix(paper.url)
    side = side_with_quiet_zone(matrix, QR_MM)
    top = A4_ACROSS.height - 18 - side
    sheets.qr(matrix, (INSET + 6, top), QR_MM)
    left = INSET + 8 + side
    sheets.text("证书编号", (left, top + 8), width=90, size=11, colour=GREY)
    sheets.text(paper.number, (left, top + 14), width=90, size=16)
    sheets.text("扫码输入编号即可核验", (left, top + 23), width=90, size=11, colour=GREY)
    right = A4_ACROSS.width - INSET - 100
    sheets.text(
        paper.organization, (right, top + 10), width=92, size=16, align="R", is_strong=True
    )
    sheets.text(paper.day, (right, top + 20), width=92, size=14, align="R")
