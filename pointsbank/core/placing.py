"""PDF sheets on which everything has its place in millimetres: cards to cut out, posters."""

import re
from collections.abc import Sequence
from datetime import datetime

from fpdf import FPDF
from fpdf.enums import TextMode
from fpdf.fonts import TTFFont

from pointsbank.core.printing import (
    BLACK,
    FAMILY,
    POINT_MM,
    QUIET_ZONE_MODULES,
    Alignment,
    Colour,
    Font,
    Paper,
    printable,
)

# What a text may shrink to before it is cut: a long name stays on its card.
SHRINK_LEAST = 0.6
ELLIPSIS = "…"
OUTLINE_SHARE = 0.012


class Sheets:
    """Sheets of one size, filled at given places."""

    def __init__(
        self, font: Font, paper: Paper, *, title: str, language: str, made_at: datetime
    ) -> None:
        """Begin without a sheet. The same contents and made_at give the same bytes."""
        self.font, self.paper = font, paper
        pdf = FPDF(unit="mm", format=(paper.width, paper.height))
        pdf.set_auto_page_break(False)
        pdf.c_margin = 0
        pdf.set_title(title)
        pdf.set_lang(language)
        pdf.set_creator("Pointsbank")
        pdf.set_producer("Pointsbank")
        pdf.set_creation_date(made_at)
        pdf.add_font(FAMILY, "", font.path, collection_font_number=font.face)
        self._pdf = pdf

    def begin(self) -> None:
        """Go on to a new sheet."""
        self._pdf.add_page()

    def text(
        self,
        text: str,
        place: tuple[float, float],
        *,
        width: float,
        size: float,
        align: Alignment = "L",
        colour: Colour = BLACK,
        is_strong: bool = False,
    ) -> None:
        """Print one line of size points from its upper left corner.

        What is wider than width is set smaller, and cut when that is not enough.
        """
        pdf, shown = self._pdf, printable(text, self.font)
        pdf.set_font(FAMILY, size=size)
        needed = pdf.get_string_width(shown)
        if needed > width:
            size *= max(SHRINK_LEAST, width / needed)
            pdf.set_font(FAMILY, size=size)
            shown = self._cut(shown, width)
        pdf.set_text_color(*colour)
        pdf.set_xy(*place)
        # A strong text is drawn with its outline: a second font would double the file.
        mode = TextMode.FILL_STROKE if is_strong else TextMode.FILL
        outline = OUTLINE_SHARE * size * POINT_MM
        with pdf.local_context(text_mode=mode, draw_color=colour, line_width=outline):
            pdf.cell(width, size * POINT_MM, shown, align=align)

    def _cut(self, text: str, width: float) -> str:
        if self._pdf.get_string_width(text) <= width:
            return text
        while text and self._pdf.get_string_width(text + ELLIPSIS) > width:
            text = text[:-1]
        return text + ELLIPSIS

    def line(
        self,
        begins: tuple[float, float],
        ends: tuple[float, float],
        *,
        thickness: float = 0.2,
        colour: Colour = BLACK,
    ) -> None:
        """Draw a straight line; thickness in millimetres."""
        self._pdf.set_draw_color(*colour)
        self._pdf.set_line_width(thickness)
        self._pdf.line(*begins, *ends)

    def qr(
        self, matrix: Sequence[Sequence[bool]], place: tuple[float, float], size: float
    ) -> None:
        """Draw a QR code whose quiet zone begins at a place.

        size: the side of the code itself in millimetres; the quiet zone stands around it.
        """
        pdf, module = self._pdf, size / len(matrix)
        left, top = (each + QUIET_ZONE_MODULES * module for each in place)
        pdf.set_fill_color(*BLACK)
        for y, row in enumerate(matrix):
            # A run of dark modules is one rectangle, without hairlines between.
            for run in re.finditer("#+", "".join("#" if dark else " " for dark in row)):
                x = left + run.start() * module
                pdf.rect(x, top + y * module, len(run.group()) * module, module, style="F")

    def as_bytes(self) -> bytes:
        """Return the finished PDF."""
        made = bytes(self._pdf.output())
        for font in self._pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.close()
        return made


def side_with_quiet_zone(matrix: Sequence[Sequence[bool]], size: float) -> float:
    """Return the side in millimetres of a code of this size with its quiet zone."""
    return size * (len(matrix) + 2 * QUIET_ZONE_MODULES) / len(matrix)
