"""Pictures that mean harm: broken, enormous, with words from a camera that nobody can read."""

import io
import struct
import subprocess
import sys

import pytest
from PIL import Image, ImageFile, ImageOps

from pointsbank.core import images
from pointsbank.core.images import PIXELS_MAX, NotDecodable, TooManyPixels, decoded
from pointsbank.core.settings import ROOT
from tests.merchants.pictures import a_bomb

SIDE, JPEG_PIXELS_MAX = 200, 50_000_000
ORIENTATION, WIDTH, MODEL, RESOLUTION = 0x0112, 0x0100, 0x0110, 0x011A
BYTE, ASCII, SHORT, FLOAT = 1, 2, 3, 11
TRIES = 3_000
# Held by a telephone on its side, with a field of a kind that it does not have.
UNREADABLE = {
    "width": (WIDTH, BYTE),
    "model": (MODEL, FLOAT),
    "resolution": (RESOLUTION, BYTE),
    "resolution in words": (RESOLUTION, ASCII),
}
# 363 were measured; what was not unfolded at all would prove nothing.
MEGABYTES_MIN, MEGABYTES_MAX = 50, 450
PEAK = """
import re, sys
from pathlib import Path
from pointsbank.core.images import decoded

def peak():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1])

content = sys.stdin.buffer.read()
before = peak()
decoded(content, side=2000, jpeg_pixels_max=50_000_000)
print((peak() - before) // 1024)
"""


def exif_of(*fields):
    """Return what a camera writes: fields of a tag, a kind, and four bytes."""
    body = struct.pack("<H", len(fields)) + b"".join(
        struct.pack("<HHI", tag, kind, 1) + value for tag, kind, value in sorted(fields)
    )
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + body + struct.pack("<I", 0)


def drawn(kind="JPEG", size=(64, 48), mode="RGB", **more):
    written = io.BytesIO()
    Image.new(mode, size, "red").save(written, kind, **more)
    return written.getvalue()


def small(content):
    return decoded(content, side=SIDE, jpeg_pixels_max=JPEG_PIXELS_MAX)


ON_ITS_SIDE = (ORIENTATION, SHORT, struct.pack("<HH", 6, 0))


@pytest.mark.parametrize("turn", range(1, 9))
def test_it_stands_upright_however_the_camera_was_held(turn):
    """As Pillow's own turning of the whole picture does it."""
    picture = Image.linear_gradient("L").resize((60, 40)).convert("RGB")
    picture.paste((255, 0, 0), (0, 0, 20, 10))
    written = io.BytesIO()
    exif = exif_of((ORIENTATION, SHORT, struct.pack("<HH", turn, 0)))
    picture.save(written, "PNG", exif=exif)
    with Image.open(io.BytesIO(written.getvalue())) as opened:
        upright = ImageOps.exif_transpose(opened).convert("RGB")
    found = small(written.getvalue())
    assert (found.size, found.tobytes()) == (upright.size, upright.tobytes())


@pytest.mark.parametrize("field", UNREADABLE)
def test_what_a_camera_wrote_wrongly_does_no_harm(field):
    tag, kind = UNREADABLE[field]
    content = drawn(exif=exif_of(ON_ITS_SIDE, (tag, kind, b"abcd")))
    assert small(content).size == (48, 64)
    # Control: turning it with what the camera wrote is where it breaks.
    with (
        Image.open(io.BytesIO(content)) as opened,
        pytest.raises((struct.error, TypeError, AttributeError)),
    ):
        ImageOps.exif_transpose(opened)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_any_bytes_are_a_picture_or_refused(dice):
    exif = exif_of(ON_ITS_SIDE, (MODEL, ASCII, b"CAM\0"))
    whole = [
        drawn(kind, mode=mode, exif=exif)
        for kind, mode in (("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("WEBP", "RGB"))
    ]
    judged = {"picture": 0, "refused": 0}
    for _ in range(TRIES):
        content = bytearray(dice.choice(whole))
        for _ in range(dice.randint(1, 5)):
            content[dice.randrange(len(content))] = dice.randrange(256)
        if dice.random() < 0.3:
            del content[dice.randrange(1, len(content)) :]
        try:
            assert max(small(bytes(content)).size) <= SIDE
            judged["picture"] += 1
        except (NotDecodable, TooManyPixels):
            judged["refused"] += 1
    assert min(judged.values()) > TRIES // 20, judged


def claiming(kind, width, height):
    """Return a picture of a few bytes that says of itself that it is so large."""
    if kind == "PNG":
        return a_bomb(width, height)
    if kind == "JPEG":
        order, mark, sizes = ">", b"\xff\xc0\x00\x11\x08", (height, width)
    else:
        order, mark, sizes = "<", b"\x9d\x01\x2a", (width, height)
    content = drawn(kind)
    place = content.index(mark) + len(mark)
    return content[:place] + struct.pack(f"{order}HH", *sizes) + content[place + 4 :]


@pytest.mark.parametrize(
    ("kind", "size"),
    [("PNG", (5_000, 4_801)), ("WEBP", (5_000, 4_801)), ("JPEG", (8_000, 7_000))],
)
def test_an_enormous_picture_is_refused_by_what_it_says_of_itself(kind, size, monkeypatch):
    content = claiming(kind, *size)
    assert len(content) < 1_000
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _picture: pytest.fail("unfolded"))
    with pytest.raises(TooManyPixels) as refused:
        small(content)
    assert refused.value.most == (JPEG_PIXELS_MAX if kind == "JPEG" else PIXELS_MAX)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read as Linux tells it")
def test_the_largest_that_is_taken_fits_into_memory():
    content = drawn("WEBP", (5_000, 4_800))
    child = [sys.executable, "-c", PEAK]
    ended = subprocess.run(child, cwd=ROOT, input=content, capture_output=True, check=True)
    assert MEGABYTES_MIN < int(ended.stdout) < MEGABYTES_MAX


def test_one_is_unfolded_at_a_time(monkeypatch):
    seen = []
    draft = Image.Image.draft
    monkeypatch.setattr(
        Image.Image,
        "draft",
        lambda *given: seen.append(images.ONE_AT_A_TIME.locked()) or draft(*given),
    )
    small(drawn("PNG"))
    assert True in seen
    assert not images.ONE_AT_A_TIME.locked()
