"""What a phone would read from a printed sheet: pdfium draws it, zxing looks at the picture."""

from dataclasses import dataclass

import pypdfium2
import zxingcpp

# As a scanner's or a good phone's picture of a sheet has it.
DOTS_PER_INCH = 200


@dataclass(frozen=True)
class SeenCode:
    """A code on a sheet: what it says, its side in millimetres, and on which sheet it is."""

    text: str
    side_mm: float
    sheet: int


def sheets_of(pdf: bytes) -> int:
    """Return how many sheets a PDF has."""
    return len(pypdfium2.PdfDocument(pdf))


def words_on(pdf: bytes) -> list[str]:
    """Return the text of each sheet."""
    document = pypdfium2.PdfDocument(pdf)
    return [page.get_textpage().get_text_range() for page in document]


def codes_on(pdf: bytes) -> list[SeenCode]:
    """Return every QR code on every sheet, from top to bottom."""
    document = pypdfium2.PdfDocument(pdf)
    seen = []
    for number, page in enumerate(document):
        picture = page.render(scale=DOTS_PER_INCH / 72, grayscale=True).to_pil()
        found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
        found.sort(key=lambda code: (code.position.top_left.y // 100, code.position.top_left.x))
        for code in found:
            corners = code.position
            side = corners.top_right.x - corners.top_left.x
            seen.append(SeenCode(code.text, side / DOTS_PER_INCH * 25.4, number))
    return seen
