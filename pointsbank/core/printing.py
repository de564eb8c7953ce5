"""PDF pages with Chinese text that can be searched and copied: a subset of one font in each."""

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

from fontTools.ttLib import TTCollection, TTFont
from fontTools.ttLib.ttFont import TTLibError
from fpdf import FPDF
from fpdf.enums import TextMode
from fpdf.fonts import TTFFont

from pointsbank.core.errors import Conflict

# Where Debian, RHEL, macOS and Windows keep a font with Chinese characters, the best first.
KNOWN_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/System/Library/Fonts/Hiragino Sans GB.ttc",
    "/System/Library/Fonts/STHeiti Light.ttc",
    "/Library/Fonts/Arial Unicode.ttf",
    "C:/Windows/Fonts/Deng.ttf",
    "C:/Windows/Fonts/msyh.ttc",
    "C:/Windows/Fonts/simhei.ttf",
)
# A character looks different from face to face of a collection; these are the mainland's.
MAINLAND_FACE = re.compile(r"\b(SC|GB|CN)\b|YaHei|Micro Hei|Zen Hei")
FULL_NAME = 4
# What stands where the font has no character: 〓 is how printers in China mark a missing sort.
MISSING_SORT = "〓"

FAMILY = "page"
BLACK, GREY, PALE, RED = (0, 0, 0), (85, 85, 85), (187, 187, 187), (168, 40, 28)
LINE_HEIGHT = 1.45
POINT_MM = 25.4 / 72
QUIET_ZONE_MODULES = 4
# Between a column and the next, in millimetres.
GUTTER = 1.5
# Sums of widths differ by less than this.
HAIR = 0.01
# What is never parted at the end of a line: a word or figure, an opening sign and what follows
# it, and whatever a closing sign follows. Chinese breaks between any two characters else.
WORD = r"(?:[0-9A-Za-z\u00c0-\u024f.,:;/%+*_#@&'~=\-\u2212\u2013]+|\S)"
UNBROKEN = re.compile(
    rf"[（《〈「『【〔“‘(\[]*{WORD}(?:\u00a0{WORD})*[，。；：、！？）》〉」』】〕”’…)\]%]*"
)

# The library names characters that a font lacks in its warnings, and texts are people's own.
logging.getLogger("fpdf").setLevel(logging.ERROR)
logging.getLogger("fontTools").setLevel(logging.ERROR)

Alignment = Literal["L", "R", "C"]
Colour = tuple[int, int, int]


class NoPrintFont(Conflict):
    """The machine has no font with Chinese characters to print with."""

    code = "no_print_font"
    message = (
        "No PDF can be made here yet: the operator has to install a Chinese font. "
        "You can print the page itself."
    )


@dataclass(frozen=True)
class Font:
    """A font file; face is the number within a collection. characters: what it can print."""

    path: str
    face: int
    characters: frozenset[int]


@dataclass(frozen=True)
class Paper:
    """A page in millimetres; size is the text's in points."""

    width: float
    height: float
    margin: float
    size: float


A4 = Paper(210, 297, 18, 12)
A5 = Paper(148, 210, 12, 9.5)


@dataclass(frozen=True)
class Column:
    """A column of a table; share is its part of the page's width."""

    title: str
    share: float
    align: Alignment = "L"


@dataclass(frozen=True)
class Entry:
    """A row of a table. is_band: its one text runs over all columns, as a month's name does."""

    cells: tuple[str, ...]
    colour: Colour = BLACK
    is_band: bool = False


def find_font(named: str = "") -> Font:
    """Return the font to print with: the named one, else the first known one that is here.

    named: the path of a TTF, OTF or TTC file, with #2 behind it for the third face of a
    collection. What was found is remembered.
    Raises NoPrintFont.
    """
    path, _, face = named.partition("#")
    places = [path] if path else KNOWN_FONTS
    for place in places:
        if Path(place).is_file():
            return _font_at(place, int(face) if face.isdecimal() else None)
    raise NoPrintFont


@lru_cache(maxsize=8)
def _font_at(path: str, face: int | None) -> Font:
    number = face or 0
    try:
        if face is None and path.lower().endswith((".ttc", ".otc")):
            number = _mainland_face(path)
        with Path(path).open("rb") as file, TTFont(file, fontNumber=number, lazy=True) as font:
            return Font(path, number, frozenset(font.getBestCmap() or ()))
    except (TTLibError, OSError) as error:
        raise NoPrintFont from error


def _mainland_face(path: str) -> int:
    with Path(path).open("rb") as file, TTCollection(file, lazy=True) as collection:
        names = [font["name"].getDebugName(FULL_NAME) or "" for font in collection]
    faces = [number for number, name in enumerate(names) if MAINLAND_FACE.search(name)]
    return faces[0] if faces else 0


def broken(text: str, room: float, width_of: Callable[[str], float]) -> list[str]:
    """Return text in lines that fit a room, each broken where Chinese and Latin words may be.

    A word wider than the room is broken anywhere.
    """
    lines = []
    for paragraph in text.split("\n"):
        line, used, end = "", 0.0, 0
        for found in UNBROKEN.finditer(paragraph):
            gap = paragraph[end : found.start()] if line else ""
            end = found.end()
            wide = width_of(gap + found[0])
            if line and used + wide > room:
                lines.append(line)
                line, used, gap, wide = "", 0.0, "", width_of(found[0])
            if wide > room:
                *whole, line = _cut(found[0], room, width_of)
                lines += whole
                used = width_of(line)
            else:
                line, used = line + gap + found[0], used + wide
        lines.append(line)
    return lines


def _cut(word: str, room: float, width_of: Callable[[str], float]) -> list[str]:
    pieces = [""]
    for letter in word:
        if pieces[-1] and width_of(pieces[-1] + letter) > room:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def printable(text: str, font: Font) -> str:
    """Return text with 〓 for what a font lacks."""
    return "".join(
        letter if ord(letter) in font.characters or letter == "\n" else MISSING_SORT
        for letter in text
    )


class Document:
    """Pages filled from the top: text, rules, tables that go on overleaf, QR codes."""

    def __init__(
        self, font: Font, paper: Paper, *, title: str, language: str, made_at: datetime
    ) -> None:
        """Begin with the first page. The same contents and made_at give the same bytes."""
        self.font, self.paper, self.made_at = font, paper, made_at
        self.width = paper.width - 2 * paper.margin
        self._pdf = _Pages(self)
        self._pdf.set_title(title)
        self._pdf.set_lang(language)
        self._pdf.set_creator("Pointsbank")
        self._pdf.set_producer("Pointsbank")
        self._pdf.set_creation_date(made_at)
        self._pdf.add_font(FAMILY, "", font.path, collection_font_number=font.face)
        self.running_head = self.running_foot = ("", "")

    def begin(self, head: tuple[str, str], foot: str, page_words: str) -> None:
        """Open the first page. head (left and right) and foot stand on every page.

        page_words: with the places {page} and {pages}.
        """
        self.running_head = head
        self.running_foot = (foot, page_words)
        self._pdf.add_page()

    def heading(self, text: str, *, scale: float = 1.8) -> None:
        """Print a heading over the thick and the thin rule of Chinese printing."""
        self.text(text, scale=scale, is_strong=True)
        self.rule(0.9)
        self._pdf.ln(0.8)
        self.rule(0.2)
        self._pdf.ln(2)

    def rule(self, thickness: float = 0.2, colour: Colour = BLACK) -> None:
        """Draw a rule over the width of the page; thickness in millimetres."""
        pdf, y = self._pdf, self._pdf.get_y()
        pdf.set_draw_color(*colour)
        pdf.set_line_width(thickness)
        pdf.line(self.paper.margin, y, self.paper.margin + self.width, y)

    def text(
        self,
        text: str,
        *,
        scale: float = 1,
        colour: Colour = BLACK,
        is_strong: bool = False,
        inset: float = 0,
        align: Alignment = "L",
    ) -> None:
        """Print a paragraph. inset: millimetres kept free on the right."""
        pdf = self._set(scale, colour)
        # A strong text is drawn with its outline: a second font would double every file.
        mode = TextMode.FILL_STROKE if is_strong else TextMode.FILL
        with pdf.local_context(text_mode=mode, draw_color=colour, line_width=0.12 * scale):
            pdf.multi_cell(
                self.width - inset,
                self._line_height(scale),
                "\n".join(self._broken(text, self.width - inset)),
                align=align,
                new_x="LMARGIN",
                new_y="NEXT",
            )

    def gap(self, height: float) -> None:
        """Leave millimetres free."""
        self._pdf.ln(height)

    def figures(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Print words with their figures below them, side by side over the page."""
        pdf, share = self._pdf, self.width / len(pairs)
        for scale, colour, texts in (
            (0.85, GREY, [word for word, _ in pairs]),
            (1.3, BLACK, [figure for _, figure in pairs]),
        ):
            self._set(scale, colour)
            for text in texts:
                pdf.cell(share, self._line_height(scale), self.printable(text))
            pdf.ln(self._line_height(scale))

    def table(
        self, columns: Sequence[Column], entries: Iterable[Entry], *, is_boxed: bool = False
    ) -> None:
        """Print a table; its head stands again on each page, and no row is split.

        is_boxed: with lines between the columns too, as forms for a wall are ruled.
        """
        total = sum(column.share for column in columns)
        widths = [self.width * column.share / total for column in columns]
        self._table_head(columns, widths)
        for entry in entries:
            lines = self._lines_of(entry, widths)
            height = max(len(each) for each in lines) * self._line_height(0.95) + 1.2
            if self._pdf.will_page_break(height):
                self._pdf.add_page()
                self._table_head(columns, widths)
            top = self._pdf.get_y()
            self._row(entry, columns, widths, lines, height)
            if is_boxed:
                self._box([] if entry.is_band else widths, top, height)

    def qr(self, matrix: Sequence[Sequence[bool]], size: float, *, room: float) -> None:
        """Draw a QR code on the right, beside what is printed next.

        size: its side in millimetres, the quiet zone included. room: what has to fit on the
        page with it.
        """
        pdf = self._pdf
        if pdf.will_page_break(max(size, room)):
            pdf.add_page()
        module = size / (len(matrix) + 2 * QUIET_ZONE_MODULES)
        left = self.paper.margin + self.width - size + QUIET_ZONE_MODULES * module
        top = pdf.get_y() + QUIET_ZONE_MODULES * module
        pdf.set_fill_color(*BLACK)
        for y, row in enumerate(matrix):
            # A run of dark modules is one rectangle, without hairlines between.
            for run in re.finditer("#+", "".join("#" if dark else " " for dark in row)):
                x = left + run.start() * module
                pdf.rect(x, top + y * module, len(run.group()) * module, module, style="F")

    def attach(self, name: str, data: bytes, mime_type: str) -> None:
        """Put a file into the document, for programs that read it."""
        self._pdf.embed_file(
            bytes=data,
            basename=name,
            mime_type=mime_type,
            creation_date=self.made_at,
            modification_date=self.made_at,
            compress=True,
        )

    def as_bytes(self) -> bytes:
        """Number the pages and return the finished PDF."""
        pdf = self._pdf
        pdf.set_auto_page_break(False)
        foot, words = self.running_foot
        for page in range(1, pdf.pages_count + 1):
            pdf.page = page
            numbered = words.replace("{page}", str(page)).replace(
                "{pages}", str(pdf.pages_count)
            )
            self.edge(self.paper.height - 0.7 * self.paper.margin, foot, numbered)
        made = bytes(pdf.output())
        for font in pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.close()
        return made

    def edge(self, y: float, left: str, right: str) -> None:
        """Print a small line at the head or the foot of the page at hand."""
        # The font is set anew on every page, which the library would leave out as no change.
        self._set(1)
        pdf, height = self._set(0.8, GREY), self._line_height(0.8)
        for text, align in ((left, "L"), (right, "R")):
            pdf.set_xy(self.paper.margin, y)
            pdf.cell(self.width, height, self.printable(text), align=align)

    def printable(self, text: str) -> str:
        """Return text with 〓 for what the font lacks."""
        return printable(text, self.font)

    def _set(self, scale: float, colour: Colour = BLACK) -> "_Pages":
        self._pdf.set_font(FAMILY, size=self.paper.size * scale)
        self._pdf.set_text_color(*colour)
        return self._pdf

    def _line_height(self, scale: float) -> float:
        return self.paper.size * scale * LINE_HEIGHT * POINT_MM

    def _table_head(self, columns: Sequence[Column], widths: Sequence[float]) -> None:
        pdf = self._set(0.85, GREY)
        for column, width, room in zip(columns, widths, rooms_within(widths), strict=True):
            text, x = self.printable(column.title), pdf.get_x()
            pdf.cell(room, self._line_height(0.95), text, align=column.align)
            pdf.set_x(x + width)
        pdf.ln(self._line_height(0.95))
        self.rule(0.35)
        pdf.ln(0.6)

    def _box(self, widths: Sequence[float], top: float, height: float) -> None:
        """Draw the lines around a row and between its columns."""
        pdf, x = self._pdf, self.paper.margin
        pdf.set_draw_color(*BLACK)
        pdf.set_line_width(0.2)
        pdf.rect(x, top, self.width, height)
        for width in widths[:-1]:
            x += width
            pdf.line(x, top, x, top + height)

    def _lines_of(self, entry: Entry, widths: Sequence[float]) -> list[list[str]]:
        """Return each cell broken into the lines that fit its column."""
        self._set(0.95)
        rooms = [self.width] if entry.is_band else rooms_within(widths)
        return [self._broken(cell, room) for room, cell in zip(rooms, entry.cells, strict=True)]

    def _broken(self, text: str, room: float) -> list[str]:
        """Return text in lines that fit a room in the font as it is set."""
        pdf = self._pdf
        inside = room - 2 * pdf.c_margin - HAIR
        return broken(self.printable(text), inside, pdf.get_string_width)

    def _row(
        self,
        entry: Entry,
        columns: Sequence[Column],
        widths: Sequence[float],
        lines: list[list[str]],
        height: float,
    ) -> None:
        pdf, top = self._set(0.95, entry.colour), self._pdf.get_y()
        rooms = [self.width] if entry.is_band else widths
        x = self.paper.margin
        aligns: list[Alignment] = ["L"] if entry.is_band else [each.align for each in columns]
        insides = rooms if entry.is_band else rooms_within(widths)
        for align, room, inside, cell in zip(aligns, rooms, insides, lines, strict=True):
            for place, line in enumerate(cell):
                pdf.set_xy(x, top + 0.6 + place * self._line_height(0.95))
                pdf.cell(inside, self._line_height(0.95), line, align=align)
            x += room
        pdf.set_xy(self.paper.margin, top + height)
        self.rule(0.15, PALE)


def rooms_within(widths: Sequence[float]) -> list[float]:
    """Return how much of each column its text may fill: all of the last one."""
    return [*(width - GUTTER for width in widths[:-1]), *widths[-1:]]


class _Pages(FPDF):
    """The library's document, with our head on each page."""

    def __init__(self, document: Document) -> None:
        paper = document.paper
        super().__init__(unit="mm", format=(paper.width, paper.height))
        self.document = document
        self.set_margins(paper.margin, paper.margin, paper.margin)
        self.set_auto_page_break(True, margin=paper.margin)
        self.c_margin = 0.4

    def header(self) -> None:
        """Print the running head above the first line."""
        left, right = self.document.running_head
        self.document.edge(self.document.paper.margin / 2, left, right)
        self.set_y(self.document.paper.margin)
