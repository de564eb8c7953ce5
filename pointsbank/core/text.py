"""What people type: cleaned, bounded, and masked where others see it."""

import re
import unicodedata

# Left-to-right and right-to-left marks, embeddings, overrides and isolates (Unicode TR 9), the
# byte order mark and zero-width characters: invisible, and able to make a name read as another.
INVISIBLE = re.compile("[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
SPACES = re.compile(r"\s+")
PHONE = re.compile(r"1\d{10}")
# A mobile number, an identity number of 15 or 18 places (GB 11643), or a bank card's; with the
# spaces and dashes that people type between groups, but not two dates beside each other.
PRIVATE_NUMBER = re.compile(
    r"(?<!\d)(?:"
    r"(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}"
    r"|[1-9]\d{5}[ -]?(?:19|20)\d{6}[ -]?\d{3}[\dXx]"
    r"|\d{15,19}|\d{17}[Xx]"
    r")(?!\d)"
)


def cleaned(text: str) -> str:
    """Return text in NFC, on one line, without control and invisible characters.

    Markup stays as it was typed; templates escape it. Emoji stay.
    """
    composed = unicodedata.normalize("NFC", text)
    visible = INVISIBLE.sub("", composed)
    printable = "".join(
        " " if character in "\t\r\n" else character
        for character in visible
        if unicodedata.category(character) not in ("Cc", "Cs") or character in "\t\r\n"
    )
    return SPACES.sub(" ", printable).strip()


def cleaned_lines(text: str) -> str:
    """Return text of several lines, each cleaned, without empty lines at its ends."""
    return "\n".join(cleaned(line) for line in text.splitlines()).strip()


def halfwidth(text: str) -> str:
    """Return full-width letters and digits as plain ones, without surrounding spaces."""
    return unicodedata.normalize("NFKC", text).strip()


def phone_from(text: str) -> str | None:
    """Return a mainland mobile number as eleven digits, None if it is not one."""
    digits = re.sub(r"[\s-]", "", halfwidth(text))
    digits = digits.removeprefix("+86").removeprefix("0086")
    return digits if PHONE.fullmatch(digits) and digits.isascii() else None


def holds_private_number(text: str) -> bool:
    """Tell whether text holds what looks like a phone, an identity or a bank card number."""
    return PRIVATE_NUMBER.search(halfwidth(text)) is not None


def masked_name(name: str) -> str:
    """Return 王*兰 for 王桂兰, 王* for 王兰: enough to know a person by, not to find one."""
    if len(name) <= 1:
        return "*"
    if len(name) == 2:
        return name[0] + "*"
    return name[0] + "*" + name[-1]


def masked_phone(phone: str) -> str:
    """Return 138****1234."""
    return f"{phone[:3]}****{phone[-4:]}"
