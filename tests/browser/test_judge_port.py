"""The station's evaluator in the browser answers as the server's does, case by case."""

import json
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from playwright.sync_api import Page

from pointsbank.attendance.codes import look_at, typed_number
from pointsbank.attendance.models import CODE_KINDS
from pointsbank.attendance.policy import Case, Rules, judge, minutes_of_presence
from pointsbank.core.codes import Purpose, seal, url_of
from pointsbank.core.keys import base32
from pointsbank.members.codes import (
    GENERAL,
    card_text,
    personal_key,
    personal_text,
    redemption_digits,
    redemption_text,
)
from proving.genuine import World
from proving.hostile import corpus

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "judge.json").read_text())
MOMENTS = {field.name for field in fields(Case) if "datetime" in str(field.type)}
RULES = Rules(**VECTORS["rules"])
CASES = 2000
BEGINS = datetime(2026, 11, 21, 5, 30, tzinfo=UTC)

JUDGE_ALL = """async ({ cases, rules }) => {
    const { caseFrom, judge } = await import("/static/js/judge.js");
    return cases.map((values) => judge(caseFrom(values), rules));
}"""
MINUTES_OF_ALL = """async (lists) => {
    const { minutesOfPresence } = await import("/static/js/judge.js");
    const ms = (text) => (text === null ? null : Date.parse(text));
    return lists.map(({ pairs, starts, ends, rest }) =>
        minutesOfPresence(pairs.map((pair) => pair.map(ms)), ms(starts), ms(ends), rest));
}"""
LOOK_AT_ALL = """async ({ texts, key }) => {
    const { isFresh, isGenuine, lookAt } = await import("/static/js/reading.js");
    const found = [];
    for (const text of texts) {
        const sight = lookAt(text);
        const isPersonal = sight.kind === "personal";
        found.push([sight.kind, isPersonal ? await isGenuine(sight.code, key) : null]);
    }
    return found;
}"""
FRESH_OF_ALL = """async ({ steps, at }) => {
    const { isFresh } = await import("/static/js/reading.js");
    return steps.map((step) => isFresh(step, at));
}"""

# Marks lie at and beside the borders that the rules know: two minutes, the window, the end.
OFFSETS = [0, 1, 119, 120, 121, 1800, 1801, 5400, 8999, 9000, 9001, 12600, 12601]
moments = st.builds(
    lambda seconds, sign, part: BEGINS + timedelta(seconds=sign * seconds, milliseconds=part),
    st.sampled_from(OFFSETS) | st.integers(0, 20_000),
    st.sampled_from((1, 1, 1, -1)),
    st.sampled_from((0, 0, 1, 500, 999)),
)
# What is asked once the code and the people are in order: half of all cases get this far.
ORDER = {
    "at": moments,
    "direction": st.sampled_from(("in", "out", "auto")),
    "is_lead": st.booleans(),
    "is_at_station": st.booleans(),
    "claim": st.sampled_from(("claimed", "waitlisted", None)),
    "claims_elsewhere": st.booleans(),
    "is_eligible": st.sampled_from((True, True, False)),
    "places_left": st.integers(-1, 2),
    "starts_at": st.just(BEGINS) | st.none(),
    "ends_at": st.just(BEGINS + timedelta(minutes=150)) | st.none(),
    "pairs": st.integers(0, 4),
    "checked_in_at": moments | st.none(),
    "checked_out_at": moments | st.none(),
    "is_same_device": st.booleans(),
    "is_settled": st.sampled_from((False, False, True)),
    "confirm": st.booleans(),
    "has_note": st.booleans(),
}
FAULTS = {
    "is_genuine": st.sampled_from((True, True, True, False)),
    "is_fresh": st.sampled_from((True, True, True, False)),
    "is_revoked": st.sampled_from((False, False, False, True)),
    "member_state": st.sampled_from(("active",) * 6 + ("suspended", None)),
    "may_scan": st.sampled_from((True, True, True, False)),
    "has_shift": st.sampled_from((True, True, True, False)),
    "is_other_shift": st.sampled_from((False, False, False, True)),
    "is_called_off": st.sampled_from((False, False, False, True)),
}
DIGITS = {"digits": st.sampled_from((None, "right", "wrong", "missing", "locked"))}
# Nothing wrong but what is drawn here: what the wilder cases rarely get to.
CALM = {
    "at": st.integers(0, 9000).map(lambda seconds: BEGINS + timedelta(seconds=seconds)),
    "claim": st.sampled_from(("claimed", None)),
    "places_left": st.integers(0, 2),
    "starts_at": st.just(BEGINS),
    "ends_at": st.just(BEGINS + timedelta(minutes=150)),
    "confirm": st.booleans(),
}
cases = (
    st.builds(Case, kind=st.sampled_from(("poster", "personal")), **DIGITS, **CALM)
    | st.builds(Case, kind=st.just("personal"), **ORDER)
    | st.builds(Case, kind=st.just("poster"), **DIGITS, **ORDER)
    | st.builds(Case, kind=st.sampled_from(("personal", *CODE_KINDS)), **FAULTS, **ORDER)
)


def sent(case: Case) -> dict:
    """Return a case as the page reads it: moments as text."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(case).items()
    }


def drawn(strategy: st.SearchStrategy, number: int) -> list:
    """Return so many examples of a strategy, the same ones every time."""
    found: list = []

    @seed(20261121)
    @settings(
        max_examples=number,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: object) -> None:
        found.append(example)

    collect()
    return found


@pytest.fixture
def page(browser_page: Page) -> Page:
    """A page that may import the station's modules."""
    browser_page.goto("/healthz")
    return browser_page


@pytest.mark.engine("sqlite")
def test_the_vectors_hold_in_the_browser(page: Page) -> None:
    given_cases = [vector["case"] for vector in VECTORS["cases"]]
    answers = page.evaluate(JUDGE_ALL, {"cases": given_cases, "rules": VECTORS["rules"]})
    assert len(answers) == len(VECTORS["cases"]) >= 40
    wrong = {
        vector["name"]: (answer, vector["expect"])
        for vector, answer in zip(VECTORS["cases"], answers, strict=True)
        if {name: answer[name] for name in vector["expect"]} != vector["expect"]
    }
    assert wrong == {}


@pytest.mark.engine("sqlite")
def test_two_thousand_drawn_cases_are_judged_alike_in_every_field(page: Page) -> None:
    examples = drawn(cases, CASES)
    assert len(examples) >= CASES * 0.9
    rules = {"opens_minutes": RULES.opens_minutes, "stays_minutes": RULES.stays_minutes}
    answers = page.evaluate(
        JUDGE_ALL, {"cases": [sent(case) for case in examples], "rules": rules}
    )
    expected = [asdict(judge(case, RULES)) for case in examples]
    differing = [
        (sent(case), mine, theirs)
        for case, mine, theirs in zip(examples, expected, answers, strict=True)
        if mine != theirs
    ]
    assert differing == []
    # The drawing reaches what it is for: every reason that the evaluator can give.
    told = {answer["reason"] for answer in expected}
    known = {vector["expect"]["reason"] for vector in VECTORS["cases"]}
    assert known <= told, known - told
    print(f"{len(examples)} cases, {len(told)} reasons")  # noqa: T201


@pytest.mark.engine("sqlite")
def test_a_page_that_judges_otherwise_is_found(page: Page) -> None:
    """The comparison above would see a rule that is off by one second."""
    broken = JUDGE_ALL.replace("judge(caseFrom(values), rules)", "judge(later(values), rules)")
    shifted = broken.replace(
        "return cases",
        "const later = (values) => { const c = caseFrom(values); c.at += 1000; return c; };\n"
        "    return cases",
    )
    examples = drawn(cases, CASES // 4)
    payload = {"cases": [sent(case) for case in examples], "rules": VECTORS["rules"]}
    answers = page.evaluate(shifted, payload)
    assert answers != [asdict(judge(case, RULES)) for case in examples]


@pytest.mark.engine("sqlite")
def test_minutes_are_counted_alike(page: Page) -> None:
    pair = st.tuples(moments | st.none(), moments | st.none())
    lists = drawn(st.tuples(st.lists(pair, max_size=3), st.integers(0, 60)), 500)
    ends = BEGINS + timedelta(minutes=150)
    answers = page.evaluate(
        MINUTES_OF_ALL,
        [
            {
                "pairs": [[each and each.isoformat() for each in one] for one in pairs],
                "starts": BEGINS.isoformat(),
                "ends": ends.isoformat(),
                "rest": rest,
            }
            for pairs, rest in lists
        ],
    )
    expected = [minutes_of_presence(pairs, BEGINS, ends, rest) for pairs, rest in lists]
    assert answers == expected
    assert len(set(expected)) > 20


SECRET = "a key that only tests know, of fair length"
HANDLE, SHIFT = b"\x01\x02\x03\x04\x05", b"\x0a\x0b\x0c\x0d\x0e"


def texts_to_read() -> list[str]:
    """Return codes of every kind, good, damaged, foreign, and what people type."""
    good = personal_text(SECRET, HANDLE, SHIFT, BEGINS)
    card = card_text(SECRET, bytes(range(10)))
    body = HANDLE + SHIFT + bytes(4)
    digits = redemption_digits("123456789012345")
    return [
        good,
        good.lower(),
        f" {good}\n",
        url_of("https://points.example", Purpose.PERSONAL, good),
        url_of("https://points.example", Purpose.PERSONAL, good).lower(),
        f"{good[:-1]}{'A' if good[-1] != 'A' else 'B'}",
        f"{good[:9]}{'A' if good[9] != 'A' else 'B'}{good[10:]}",
        good[:-1],
        good + "A",
        "=" + good,
        personal_text(SECRET, HANDLE, GENERAL, BEGINS),
        seal(Purpose.PERSONAL, body, b"another key"),
        base32(b"\x81" + bytes(24)),
        base32(b"\x47" + bytes(24)),
        card,
        redemption_text(SECRET, "123456789012345"),
        digits,
        f"{digits[:4]} {digits[4:8]} {digits[8:12]}-{digits[12:]}",
        digits[:-1] + str((int(digits[-1]) + 1) % 10),
        seal(Purpose.VENUE, bytes(10), b"k"),
        seal(Purpose.POSTER, bytes(5), b"k"),
        "V00000012",
        "Ｖ００００００１２",
        "党-0012",
        "hello",
        "",
        "   ",
        "0",
        "https://example.org/parcel/12345",
        "https://points.example/M/" + good + "/x",
        "https://points.example/X/" + good,
        "9" * 21,
    ]


@pytest.mark.engine("sqlite")
def test_codes_are_read_alike(page: Page) -> None:
    hostile = [text for _, text in corpus(World()) if "\ud800" not in text]
    texts = [*texts_to_read(), *hostile]
    key = personal_key(SECRET, HANDLE, SHIFT)
    written = page.evaluate(
        "(bytes) => import('/static/js/reading.js')"
        ".then(({ toBase64url }) => toBase64url(Uint8Array.from(bytes)))",
        list(key),
    )
    answers = page.evaluate(LOOK_AT_ALL, {"texts": texts, "key": written})
    sights = [typed_number(look_at(text, secret=SECRET, at=BEGINS)) for text in texts]
    assert [kind for kind, _ in answers] == [sight.kind for sight in sights]
    assert {sight.kind for sight in sights} == set(CODE_KINDS)
    for text, (kind, is_proven), sight in zip(texts, answers, sights, strict=True):
        if kind == "personal" and sight.shift_handle == SHIFT and sight.member_handle == HANDLE:
            assert is_proven is sight.is_genuine, text


@pytest.mark.engine("sqlite")
def test_an_offline_station_takes_steps_as_wide_as_the_server(page: Page) -> None:
    base = int(BEGINS.timestamp()) // 30
    steps = list(range(base - 8, base + 8))
    answers = page.evaluate(
        FRESH_OF_ALL, {"steps": steps, "at": BEGINS.timestamp() * 1000 + 29_999}
    )
    taken = [step - base for step, fresh in zip(steps, answers, strict=True) if fresh]
    assert taken == list(range(-4, 3))
