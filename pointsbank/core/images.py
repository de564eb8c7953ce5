"""Pictures as people upload them: decoded within bounds, upright, small, one at a time."""

import io
import struct
import threading

from PIL import Image, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP")
# A JPEG is decoded small at once. Other pictures unfold to their full size in memory: a WebP of
# 40 kB that says so many pixels was measured to take 363 MB, one that says twice as many 818.
PIXELS_MAX = 24_000_000
# Several at once would need that memory several times.
ONE_AT_A_TIME = threading.Lock()
ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
WHITE = (255, 255, 255, 255)
# What Pillow raises for a file that is none, cut short or made to break a decoder.
BROKEN = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    ZeroDivisionError,
    EOFError,
    struct.error,
)


class NotDecodable(Exception):
    """The bytes are no picture of FORMATS, or one that cannot be opened."""


class TooManyPixels(Exception):
    """The picture says of itself that it has more pixels than most."""

    def __init__(self, most: int) -> None:
        """Keep how many it may have."""
        super().__init__(most)
        self.most = most


def decoded(content: bytes, *, side: int, jpeg_pixels_max: int) -> Image.Image:
    """Return an uploaded picture as RGB on white, upright, of at most side pixels an edge.

    What its camera wrote into it is left behind. jpeg_pixels_max: for a JPEG; PIXELS_MAX for
    any other. Raises NotDecodable, and TooManyPixels before anything is unfolded.
    """
    try:
        with ONE_AT_A_TIME, Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            # Two pictures in one file, as some telephones write them, are MPO to Pillow.
            is_jpeg = opened.format in ("JPEG", "MPO")
            most = jpeg_pixels_max if is_jpeg else PIXELS_MAX
            if opened.width * opened.height > most:
                raise TooManyPixels(most)
            turn = UPRIGHT.get(_orientation(opened))
            opened.draft("RGB", (side, side))
            opened.thumbnail((side, side))
            return _on_white(opened if turn is None else opened.transpose(turn))
    except BROKEN as error:
        raise NotDecodable from error


def _orientation(picture: Image.Image) -> int:
    """Return how the camera was held; 1, upright, when what it wrote cannot be read."""
    try:
        held = picture.getexif().get(ORIENTATION)
    except BROKEN:
        return 1
    return held if isinstance(held, int) else 1


def _on_white(picture: Image.Image) -> Image.Image:
    """Return a picture without transparency: what can be seen through is white paper."""
    seen = picture.convert("RGBA")
    paper = Image.new("RGBA", seen.size, WHITE)
    paper.alpha_composite(seen)
    return paper.convert("RGB")
