"""Codes that members show: what they hold, and that none passes for another."""

from datetime import UTC, datetime, timedelta

import pytest

from pointsbank.core.codes import NotACode, Purpose, read_code, url_of
from pointsbank.members.codes import (
    GENERAL,
    PERSONAL_STEP_SECONDS,
    card_key,
    card_text,
    check_digit,
    number_of_digits,
    number_of_redemption,
    personal_ends_at,
    personal_key,
    personal_text,
    read_personal,
    redemption_digits,
    redemption_key,
    redemption_text,
    step_at,
)

SECRET = "a secret of at least thirty-two characters"
HANDLE = b"\x01\x02\x03\x04\x05"
SHIFT = b"\x0a\x0b\x0c\x0d\x0e"
AT = datetime(2026, 11, 21, 4, 0, 7, tzinfo=UTC)


def test_a_personal_code_says_who_where_and_when():
    code = read_code(personal_text(SECRET, HANDLE, SHIFT, AT))
    said = read_personal(code)
    assert (said.handle, said.shift_handle) == (HANDLE, SHIFT)
    assert said.step == step_at(AT) == int(AT.timestamp()) // 30
    assert code.is_genuine(personal_key(SECRET, HANDLE, SHIFT))
    assert personal_ends_at(AT) == datetime(2026, 11, 21, 4, 0, 30, tzinfo=UTC)


def test_a_personal_code_is_the_same_through_its_step_and_no_longer():
    first = AT.replace(second=0)
    last = first + timedelta(seconds=PERSONAL_STEP_SECONDS - 1)
    assert personal_text(SECRET, HANDLE, GENERAL, first) == personal_text(
        SECRET, HANDLE, GENERAL, last
    )
    assert personal_text(SECRET, HANDLE, GENERAL, last) != personal_text(
        SECRET, HANDLE, GENERAL, last + timedelta(seconds=1)
    )


def test_keys_of_codes_fit_nothing_else():
    texts = {
        "general": personal_text(SECRET, HANDLE, GENERAL, AT),
        "shift": personal_text(SECRET, HANDLE, SHIFT, AT),
        "other": personal_text(SECRET, b"other", GENERAL, AT),
        "redemption": redemption_text(SECRET, "123456789012345"),
        "card": card_text(SECRET, b"0123456789"),
    }
    keys = {
        "general": personal_key(SECRET, HANDLE),
        "shift": personal_key(SECRET, HANDLE, SHIFT),
        "other": personal_key(SECRET, b"other"),
        "redemption": redemption_key(SECRET),
        "card": card_key(SECRET),
    }
    fits = {
        (text, key)
        for text, written in texts.items()
        for key, value in keys.items()
        if read_code(written).is_genuine(value)
    }
    assert fits == {(name, name) for name in texts}


def test_a_code_of_another_purpose_is_no_personal_code():
    with pytest.raises(ValueError, match="not a personal code"):
        read_personal(read_code(card_text(SECRET, b"0123456789")))


@pytest.mark.parametrize(
    ("digits", "expected"),
    [("7992739871", "3"), ("424242424242424", "2"), ("0", "0"), ("77123456789012345", "0")],
)
def test_check_digits_are_luhns(digits, expected):
    assert check_digit(digits) == expected


def test_a_redemption_code_and_its_digits_hold_the_same_number():
    number = "012345678901234"
    digits = redemption_digits(number)
    assert len(digits) == 18
    assert digits.startswith("77")
    assert number_of_digits(digits) == number
    assert number_of_redemption(read_code(redemption_text(SECRET, number))) == number


def test_every_single_wrong_digit_and_a_swap_of_neighbours_is_noticed():
    digits = redemption_digits("128172635445361")
    for place in range(18):
        for digit in "0123456789":
            if digit != digits[place]:
                assert number_of_digits(digits[:place] + digit + digits[place + 1 :]) is None
    swapped = digits[:2] + digits[3] + digits[2] + digits[4:]
    assert number_of_digits(swapped) is None


@pytest.mark.parametrize("digits", ["", "77", "7" * 17, "7" * 19, "٧" * 18, "1" * 18])
def test_other_digits_are_none_of_ours(digits):
    assert number_of_digits(digits) is None


def test_a_code_is_read_bare_lower_case_and_behind_its_address():
    text = redemption_text(SECRET, "123456789012345")
    url = url_of("https://jf.example.cn/", Purpose.REDEMPTION, text)
    assert url == f"HTTPS://JF.EXAMPLE.CN/R/{text}"
    for form in (text, text.lower(), f"  {url} ", url.lower() + "/"):
        assert read_code(form).text == text


@pytest.mark.parametrize("text", ["", "A", "AAAA", "https://x/R/", "http://x/Z/AAAA", "码" * 9])
def test_other_text_is_no_code(text):
    with pytest.raises(NotACode):
        read_code(text)
