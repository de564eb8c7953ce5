"""A member's file on paper: A4, one table after the other."""

from dataclasses import dataclass
from datetime import datetime

from pointsbank.app.member_file_words import Section
from pointsbank.core.printing import A4, Column, Document, Entry, Font

# In Latin letters: what a line of A4 holds, the least of a column, and up to where it is short.
LINE, SHORTEST, KEPT = 79, 12, 14
# From here on, but for signs, a character fills a square.
FIRST_WIDE = 0x2E80


@dataclass(frozen=True)
class PrintedFile:
    """What is printed, in the reader's language. language: zh-CN or en. foot: by whom it was
    opened and when. page: with the places {page} and {pages}."""

    language: str
    title: str
    name: str
    foot: str
    page: str
    nothing: str
    profile: list[tuple[str, str]]
    sections: list[Section]


def member_file_pdf(file: PrintedFile, font: Font, made_at: datetime) -> bytes:
    """Return the file as a PDF."""
    document = Document(font, A4, title=file.title, language=file.language, made_at=made_at)
    document.begin((file.title, file.name), file.foot, file.page)
    document.heading(f"{file.title} · {file.name}")
    for label, value in file.profile:
        document.text(f"{label}  {value}")
    for section in file.sections:
        document.gap(5)
        document.text(section.title, scale=1.25, is_strong=True)
        document.gap(1)
        if section.rows:
            document.table(columns_of(section), [Entry(row) for row in section.rows])
        else:
            document.text(file.nothing)
    return document.as_bytes()


def length_of(text: str) -> int:
    """Return how long a text is printed, in Latin letters; a Chinese character is two."""
    return sum(2 if ord(letter) >= FIRST_WIDE else 1 for letter in text)


def columns_of(section: Section) -> list[Column]:
    """Return the columns: short ones as wide as their words, the others share what is left."""
    longest = [
        max(SHORTEST, length_of(head), *(length_of(row[place]) for row in section.rows))
        for place, head in enumerate(section.heads)
    ]
    wide = sum(each for each in longest if each > KEPT)
    left = LINE - (sum(longest) - wide)
    return [
        Column(
            head,
            length if length <= KEPT or sum(longest) <= LINE else left * length / wide,
            "R" if place in section.figures else "L",
        )
        for place, (head, length) in enumerate(zip(section.heads, longest, strict=True))
    ]
