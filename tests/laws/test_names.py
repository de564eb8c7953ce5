"""One word for each thing, as docs/glossary.md has it, and no file name that says nothing."""

import re
from pathlib import Path

import pytest

from tests.laws.tree import ROOT, kept_files, python_files, shown

NAMELESS_FILES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager"}

# Each with the word to use instead.
BANNED = {
    r"credits?": "points",
    r"coins?": "points",
    r"bookings?": "claim",
    r"sign_?ups?": "claim",
    r"points?_transactions?": "transfer",
    r"transaction_(?:id|ids|key|no|kind)": "transfer",
}
# A word may begin after a letter's change of case or an underscore: CreditLine, my_credits.
START = r"(?:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z]))"
END = r"(?:(?![A-Za-z])|(?=[A-Z]))"
PATTERNS = {
    re.compile(f"{START}(?i:{banned}){END}"): instead for banned, instead in BANNED.items()
}


def banned_words(text: str) -> list[str]:
    return [
        f"{found.group()} (say {instead})"
        for pattern, instead in PATTERNS.items()
        for found in pattern.finditer(text)
    ]


def judged_files() -> list[Path]:
    templates = sorted((ROOT / "templates").rglob("*.html"))
    scripts = sorted((ROOT / "static" / "js").rglob("*.js"))
    here = Path(__file__)
    code = [path for path in python_files() if path != here]
    return [*code, *templates, *scripts]


def test_no_synonym_is_used() -> None:
    files = judged_files()
    assert files
    used = {shown(path): words for path in files if (words := banned_words(path.read_text()))}
    assert used == {}


def test_every_file_says_what_it_holds() -> None:
    nameless = [
        shown(path)
        for path in kept_files()
        if path.suffix in (".py", ".js") and path.stem in NAMELESS_FILES
    ]
    assert nameless == []


@pytest.mark.parametrize(
    "text",
    ["credits = 3", "class CoinPurse:", "def open_booking(", "SignupForm", "transaction_id"],
)
def test_a_synonym_is_found(text: str) -> None:
    assert banned_words(text) != []


@pytest.mark.parametrize(
    "text",
    ["with transaction() as session:", "accredited", "coincide", "design_update", "points"],
)
def test_an_innocent_word_is_left_alone(text: str) -> None:
    assert banned_words(text) == []
