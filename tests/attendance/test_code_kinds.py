"""No kind of code passes for another, whatever is changed about it."""

import itertools

import pytest

from pointsbank.attendance.codes import look_at, slot_at, venue_key, venue_text
from pointsbank.core.codes import LETTERS, Purpose, read_code, seal, url_of
from pointsbank.core.keys import base32, derive_key
from pointsbank.members.codes import (
    GENERAL,
    card_key,
    card_text,
    personal_key,
    personal_text,
    redemption_key,
    redemption_text,
)
from pointsbank.merchants.tills import till_key, till_text
from tests.attendance.scene import SECRET, STARTS, reason

HANDLE = b"\x01\x02\x03\x04\x05"
TEXTS = {
    Purpose.VENUE: venue_text(SECRET, HANDLE, slot_at(STARTS), "in"),
    Purpose.PERSONAL: personal_text(SECRET, HANDLE, GENERAL, STARTS),
    Purpose.REDEMPTION: redemption_text(SECRET, "123456789012345"),
    Purpose.CARD: card_text(SECRET, bytes(10)),
    Purpose.POSTER: seal(Purpose.POSTER, HANDLE, derive_key(SECRET, "poster")),
    Purpose.TILL: till_text(SECRET, b"8 bytes."),
}
KEYS = {
    Purpose.VENUE: venue_key(SECRET, HANDLE),
    Purpose.PERSONAL: personal_key(SECRET, HANDLE),
    Purpose.REDEMPTION: redemption_key(SECRET),
    Purpose.CARD: card_key(SECRET),
    Purpose.POSTER: derive_key(SECRET, "poster"),
    Purpose.TILL: till_key(SECRET),
}
# Only a counter knows a till's code; tests/merchants/test_tills.py holds it to the same.
SEEN = [purpose for purpose in Purpose if purpose is not Purpose.TILL]


def see(text: str):
    return look_at(text, secret=SECRET, at=STARTS)


@pytest.mark.parametrize("purpose", SEEN, ids=lambda purpose: purpose.name)
def test_each_code_is_seen_as_what_it_is(purpose):
    for text in (TEXTS[purpose], TEXTS[purpose].lower(), f" {TEXTS[purpose]}\n"):
        assert (see(text).kind, see(text).is_genuine) == (purpose.name.lower(), True)
    url = url_of("https://points.example", purpose, TEXTS[purpose])
    assert see(url).is_genuine
    assert see(url.lower()).is_genuine


@pytest.mark.parametrize(
    ("real", "pretended"),
    list(itertools.permutations(Purpose, 2)),
    ids=lambda purpose: purpose.name,
)
def test_a_code_under_another_header_or_key_is_forged_or_none(real, pretended):
    code = read_code(TEXTS[real])
    header = bytes([code.header[0] & ~0b111 | pretended])
    relabelled = see(base32(header + code.body + code.mac))
    assert not relabelled.is_genuine
    body = read_code(TEXTS[pretended]).body
    assert not see(seal(pretended, body, KEYS[real])).is_genuine


@pytest.mark.parametrize("purpose", SEEN, ids=lambda purpose: purpose.name)
def test_every_changed_bit_is_noticed(purpose):
    code = read_code(TEXTS[purpose])
    whole = code.header + code.body + code.mac
    for bit in range(len(whole) * 8):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        assert not see(base32(bytes(changed))).is_genuine, bit


def test_a_shops_code_is_none_where_people_check_in(scene):
    assert (see(TEXTS[Purpose.TILL]).kind, see(TEXTS[Purpose.TILL]).is_genuine) == (
        "unknown",
        False,
    )
    verdict = scene.scan(scene.organizer, TEXTS[Purpose.TILL], STARTS, shift_id=scene.shift_id)
    assert reason(verdict) == ("refuse", "bad_code")


@pytest.mark.parametrize("direction", range(3, 256, 36))
def test_a_direction_that_does_not_exist_is_not_genuine(direction):
    body = HANDLE + slot_at(STARTS).to_bytes(4) + bytes([direction])
    assert not see(seal(Purpose.VENUE, body, KEYS[Purpose.VENUE])).is_genuine


def test_a_letter_in_the_address_changes_nothing(scene):
    for letter in LETTERS.values():
        code = f"https://points.example/{letter}/{scene.venue(STARTS)}"
        assert scene.scan(scene.volunteer, code, STARTS).facts["reason"] in (
            "ok_in",
            "repeat_just_now",
        )


@pytest.mark.parametrize("purpose", [Purpose.REDEMPTION, Purpose.POSTER], ids=str)
def test_what_is_meant_for_elsewhere_is_refused_and_kept(scene, purpose):
    verdict = scene.scan(scene.organizer, TEXTS[purpose], STARTS, shift_id=scene.shift_id)
    assert reason(verdict) == ("refuse", "wrong_purpose")
    assert verdict.facts["code_kind"] == purpose.name.lower()


def test_an_unknown_card_is_not_good(scene):
    verdict = scene.scan(scene.organizer, TEXTS[Purpose.CARD], STARTS, shift_id=scene.shift_id)
    assert reason(verdict) == ("refuse", "card_revoked")
