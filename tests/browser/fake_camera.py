"""A camera for Chromium that shows one QR code: a film in the plainest format there is."""

from pathlib import Path

from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

WIDTH = 640
HEIGHT = 480
# Two frames are enough: Chromium plays the film again and again.
FRAMES = 2
HEADER = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A0:0 C420jpeg\n".encode()
BLACK, WALL, WHITE = b"\x10", b"\xb0", b"\xeb"
NO_COLOUR = b"\x80" * (WIDTH * HEIGHT // 4) * 2
# The code with its quiet border fills this much of the height, as when a phone is held to it.
CODE_HEIGHT_SHARE = 0.75
QUIET_MODULES = 4


def empty_wall() -> list[bytes]:
    """Return the rows of a picture without any code."""
    return [WALL * WIDTH] * HEIGHT


def code_on_wall(text: str) -> list[bytes]:
    """Return the rows of a picture with the QR code of a text in its middle."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_MODULES)
    code.add_data(text)
    modules = code.get_matrix()
    pixels = int(HEIGHT * CODE_HEIGHT_SHARE) // len(modules)
    side = pixels * len(modules)
    left, top = (WIDTH - side) // 2, (HEIGHT - side) // 2
    rows = empty_wall()
    for number, line in enumerate(modules):
        drawn = b"".join((BLACK if dark else WHITE) * pixels for dark in line)
        row = WALL * left + drawn + WALL * (WIDTH - left - side)
        rows[top + number * pixels : top + (number + 1) * pixels] = [row] * pixels
    return rows


def film(rows: list[bytes]) -> bytes:
    """Return a y4m film that shows one picture, standing still."""
    return HEADER + (b"FRAME\n" + b"".join(rows) + NO_COLOUR) * FRAMES


class FakeCamera:
    """The film that a browser was told to take for its camera.

    Chromium opens the file whenever a page opens the camera: from then on it shows the new one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.show_nothing()

    def show(self, text: str) -> None:
        """Hold the QR code of a text before the camera."""
        self._write(code_on_wall(text))

    def show_nothing(self) -> None:
        """Take every code away."""
        self._write(empty_wall())

    def _write(self, rows: list[bytes]) -> None:
        unfinished = self.path.with_suffix(".part")
        unfinished.write_bytes(film(rows))
        unfinished.replace(self.path)
