"""Papers: what they hold decides, and pictures are written anew."""

import io

import pytest
from PIL import ExifTags, Image

from pointsbank.merchants import papers
from pointsbank.merchants.errors import BadPaper, PaperTooLarge
from pointsbank.merchants.licenses import check_letter, license_from
from pointsbank.merchants.papers import SIDE_MAX, judged_paper, rewritten
from tests.merchants.pictures import PDF, a_bomb, a_picture


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "RGB"), ("PNG", "RGBA"), ("PNG", "RGB"), ("WEBP", "RGBA")]
)
def test_pictures_become_jpegs_of_a_reasonable_size(kind, mode):
    paper = judged_paper("license", "营业执照.png", a_picture(kind, (3_000, 1_500), mode))
    assert paper.media_type == "image/jpeg"
    picture = opened(paper.content)
    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (SIDE_MAX, 1_000))
    red, green, _ = picture.getpixel((0, 0))
    # What was transparent is white, what was red stays red.
    assert red > 190
    assert (green > 240) == (mode == "RGBA")


def test_what_a_camera_wrote_is_gone_and_the_picture_stands_upright():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "telephone"
    written = rewritten(a_picture("JPEG", (64, 48), exif=exif))
    assert opened(written).size == (48, 64)
    assert dict(opened(written).getexif()) == {}
    assert b"telephone" not in written


def test_a_pdf_is_known_by_its_head_and_kept_as_it_is():
    paper = judged_paper("contract", "x.jpg", PDF)
    assert (paper.media_type, paper.content) == ("application/pdf", PDF)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        b"%PDF-1.4 and nothing more",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + bytes(40),
        a_picture("GIF"),
        a_picture("TIFF"),
        a_picture("PNG")[:60],
        a_picture("JPEG")[:200],
        a_bomb(),
        a_bomb(9_000, 9_000),
        a_bomb(5_000, 5_000),
        b"MZ" + PDF,
    ],
)
def test_everything_else_is_refused(content):
    with pytest.raises(BadPaper):
        judged_paper("other", "license.jpg", content)


def test_what_is_too_large_is_refused(monkeypatch):
    with pytest.raises(PaperTooLarge):
        judged_paper("other", "x", PDF + bytes(papers.PAPER_BYTES_MAX))
    monkeypatch.setattr(papers, "UPLOAD_BYTES_MAX", 100)
    with pytest.raises(PaperTooLarge):
        judged_paper("other", "x", bytes(101))
    monkeypatch.setattr(papers, "UPLOAD_BYTES_MAX", 10_000)
    monkeypatch.setattr(papers, "PAPER_BYTES_MAX", 100)
    with pytest.raises(PaperTooLarge):
        judged_paper("other", "x", a_picture())


def test_a_license_number_is_judged_by_its_last_character():
    # The example of GB 32100-2015, annex A.
    assert check_letter("91350100M000100Y4") == "3"
    for typed in ("91350100M000100Y43", " 9135 0100-m000100y43 ", "９１３５０１００M000100Y43"):
        assert license_from(typed) == "91350100M000100Y43"
    assert license_from("110108000000016") == "110108000000016"


@pytest.mark.parametrize(
    "typed", ["", "91350100M000100Y44", "91350100M000100Y4", "9135O100M000100Y43", "1" * 14]
)
def test_a_license_number_that_was_copied_wrongly_is_none(typed):
    assert license_from(typed) is None


def test_every_single_wrong_character_of_a_license_is_noticed():
    number = "91350100M000100Y43"
    for place in range(18):
        for letter in "0123456789ABCDEFGHJKLMNPQRTUWXY":
            if letter != number[place]:
                assert license_from(number[:place] + letter + number[place + 1 :]) is None


def test_a_busy_picture_is_kept_coarser_before_it_is_refused(monkeypatch):
    noise = io.BytesIO()
    Image.effect_noise((300, 300), 90).save(noise, "PNG")
    sizes = []
    for most in (10**6, 45_000):
        monkeypatch.setattr(papers, "PAPER_BYTES_MAX", most)
        sizes.append(len(judged_paper("other", "x", noise.getvalue()).content))
    assert sizes[0] > 45_000 >= sizes[1]
