"""Pictures of rewards: decoded within bounds, re-encoded, kept under an address for good."""

import io
import struct
import zlib

import pytest
from PIL import Image
from sqlalchemy import text

from pointsbank.core.errors import Refusal
from pointsbank.rewards.models import PICTURE_BYTES_MAX
from pointsbank.rewards.pictures import encoded
from tests.browsing import Browser, words_of
from tests.builders import a_member, a_merchant, with_role

ORIENTATION, GPS, MODEL = 0x0112, 0x8825, 0x0110


def drawn(size=(1200, 800), kind="JPEG", mode="RGB", colour="red", **more):
    written = io.BytesIO()
    Image.new(mode, size, colour).save(written, kind, **more)
    return written.getvalue()


def noise(size=(2000, 2000)):
    written = io.BytesIO()
    Image.effect_noise(size, 200).convert("RGB").save(written, "JPEG", quality=95)
    return written.getvalue()


def png_of_size(width, height):
    """A PNG's head that promises so many pixels, with hardly any behind it."""

    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", pixels)
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_came_in_goes_out_as_two_webp_of_our_sizes(kind):
    picture = encoded(drawn(kind=kind))
    large, small = (Image.open(io.BytesIO(each)) for each in (picture.content, picture.small))
    assert (large.format, large.size) == ("WEBP", (960, 640))
    assert (small.format, small.size) == ("WEBP", (240, 160))
    assert (picture.width, picture.height) == (960, 640)
    assert len(picture.digest) == 32


def test_a_small_picture_is_not_blown_up():
    assert encoded(drawn((50, 30))).width == 50


def test_place_and_camera_are_left_out_and_it_stands_upright():
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[MODEL] = "SECRET CAMERA"
    exif[GPS] = {1: "N", 2: (37.0, 52.0, 0.0)}
    picture = encoded(drawn(exif=exif.tobytes()))
    assert (picture.width, picture.height) == (640, 960)
    for content in (picture.content, picture.small):
        assert b"SECRET" not in content
        assert not Image.open(io.BytesIO(content)).getexif()


def test_what_can_be_seen_through_becomes_white():
    picture = encoded(drawn(kind="PNG", mode="RGBA", colour=(255, 0, 0, 0)))
    assert Image.open(io.BytesIO(picture.content)).convert("RGB").getpixel((5, 5)) == (255,) * 3


def test_noise_is_encoded_until_it_fits():
    picture = encoded(noise())
    assert len(picture.content) <= PICTURE_BYTES_MAX
    assert len(picture.small) <= PICTURE_BYTES_MAX


@pytest.mark.parametrize(
    ("upload", "code"),
    [
        (b"", "not_a_picture"),
        (b"%PDF-1.7 nothing", "not_a_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_a_picture"),
        (drawn()[:500], "not_a_picture"),
        (drawn(kind="GIF", mode="P", colour=1), "not_a_picture"),
        (drawn(kind="BMP"), "not_a_picture"),
        (png_of_size(9000, 9000), "picture_too_large"),
        (png_of_size(60_000, 60_000), "not_a_picture"),
        (png_of_size(500, 500), "not_a_picture"),
    ],
    ids=["nothing", "pdf", "svg", "cut", "gif", "bmp", "large", "bomb", "short"],
)
def test_what_is_no_picture_is_refused(upload, code):
    with pytest.raises(Refusal) as caught:
        encoded(upload)
    assert caught.value.code == code


def put(counter, client, content, who=None):
    return client.put(
        f"/api/v1/rewards/{counter.reward_id}/picture",
        data={"file": (io.BytesIO(content), "p.jpg")},
        headers=counter.headers(who),
    )


def test_a_picture_has_an_address_for_good_and_another_one_another(counter, client, writing):
    first = put(counter, client, drawn()).get_json()["picture"]
    assert put(counter, client, drawn()).get_json()["picture"] == first
    headers = counter.headers(counter.member_id)
    for address in first.values():
        shown = client.get(address, headers=headers)
        assert (shown.status_code, shown.mimetype) == (200, "image/webp")
        assert shown.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
    other = put(counter, client, drawn(colour="blue")).get_json()["picture"]
    assert other != first
    gone = client.get(first["url"], headers=headers)
    assert (gone.status_code, gone.headers["Cache-Control"]) == (404, "no-store")
    for digest in ("0" * 64, "z" * 64, "0", "０" * 64):
        address = f"/rewards/{counter.reward_id}/pictures/{digest}/large"
        assert client.get(address, headers=headers).status_code == 404
    with writing() as session:
        assert session.scalar(text("SELECT COUNT(*) FROM reward_picture")) == 1
    for _ in range(2):
        removed = client.delete(
            f"/api/v1/rewards/{counter.reward_id}/picture", headers=counter.headers()
        )
        assert removed.status_code == 204
    assert client.get(other["url"], headers=headers).status_code == 404


def test_refused_uploads_leave_nothing(counter, client, writing):
    with writing() as session:
        foreign = with_role(session, a_member(session), "clerk", None, a_merchant(session))
    assert put(counter, client, b"no picture").get_json()["code"] == "not_a_picture"
    assert put(counter, client, drawn(), foreign).status_code == 404
    missing = client.put(
        f"/api/v1/rewards/{counter.reward_id}/picture", data={}, headers=counter.headers()
    )
    assert missing.status_code in (400, 422)
    with writing() as session:
        assert session.scalar(text("SELECT COUNT(*) FROM reward_picture")) == 0


def test_a_clerk_gives_and_takes_the_picture_on_the_page(counter):
    clerk = Browser(counter.app, counter.clerk_id)
    here = f"/rewards/{counter.reward_id}/edit"
    form = clerk.form(clerk.open(here), "/picture")
    page = clerk.client.post(
        form.action,
        data={**form.fields, "file": (io.BytesIO(drawn()), "p.jpg")},
        follow_redirects=True,
    )
    assert "图片已换好" in words_of(page)
    assert "/large" in page.text
    member = Browser(counter.app, counter.member_id)
    assert "/small" in member.open("/rewards").text
    assert 'alt="洗洁精一瓶的图片"' in member.open(f"/rewards/{counter.reward_id}").text
    bad = clerk.client.post(
        form.action,
        data={**form.fields, "file": (io.BytesIO(b"x"), "p.jpg")},
        follow_redirects=True,
    )
    assert "不是能打开的图片" in words_of(bad)
    clerk.send(clerk.form(page, "/removal"))
    assert "/small" not in member.open("/rewards").text
