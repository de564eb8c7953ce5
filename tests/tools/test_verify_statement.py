"""The tool that checks a statement on any desk: right ones pass, changed ones do not."""

import ast
import copy
import json
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.laws.tree import ROOT
from tests.tools.paper import TOOL, a_statement, judge, load_tool, written

VECTORS = json.loads((ROOT / "tests" / "vectors" / "leaf.json").read_text())
# What the tool cannot know: who serves, and who holds the book.
FREE = ("service", "holder")
REFUSED = (1, 2)

tool = load_tool()
STATEMENT, ROOTS = a_statement()
ALL_SEALED, ALL_ROOTS = a_statement(unsealed=0)


def places_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path to each value that is no list and no object."""
    if isinstance(value, dict):
        return [place for key in value for place in places_of(value[key], (*path, key))]
    if isinstance(value, list):
        return [
            place for key, each in enumerate(value) for place in places_of(each, (*path, key))
        ]
    return [path]


def judged_places(statement: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [place for place in places_of(statement) if place[0] not in FREE]


def changed(statement: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """Return a copy with another value at one place."""
    copied = copy.deepcopy(statement)
    holder = copied
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    return copied


def value_at(statement: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        statement = statement[key]
    return statement


def spoiled(value: Any) -> Any:
    """Return a value with its first character changed."""
    if value is None or isinstance(value, bool):
        return 1 if value is None else not value
    if isinstance(value, int):
        return int(("1" if str(value)[0] != "1" else "2") + str(value)[1:])
    return ("a" if not value.startswith("a") else "b") + value[1:]


def test_the_rules_are_those_of_the_fixed_examples() -> None:
    assert VECTORS["rows"]
    for example in VECTORS["rows"]:
        leaf = tool.leaf_of(example["row"], bytes.fromhex(example["blind"]))
        assert leaf.hex() == example["leaf"]
    for tree in VECTORS["trees"]:
        for leaf_hex, path in zip(VECTORS["tree_leaves"], tree["paths"], strict=False):
            assert tool.climb(bytes.fromhex(leaf_hex), path).hex() == tree["root"]
    for block in VECTORS["blocks"]:
        previous, tree_hex = bytes.fromhex(block["previous_hash"]), bytes.fromhex(block["tree"])
        assert tool.header_hash(block, previous, tree_hex) == block["root"]


def test_a_right_statement_is_right(tmp_path: Path) -> None:
    answer, told = judge(tool, tmp_path, STATEMENT, ROOTS)
    assert answer == 0
    assert "正确：已封存的 5 行" in told
    assert "RIGHT: all 5 sealed lines" in told
    assert "（从第 6 行起）还没封存" in told
    assert "not sealed yet" in told


def test_without_roots_it_says_that_nothing_was_compared(tmp_path: Path) -> None:
    answer, told = judge(tool, tmp_path, STATEMENT)
    assert answer == 0
    assert "还没有与公布的根值核对" in told
    assert "NOT compared" in told
    assert "RIGHT" not in told
    assert all(block["root"] in told for block in ROOTS["blocks"])


def test_single_roots_do_too_when_each_block_is_among_them(tmp_path: Path) -> None:
    first, second = (block["root"] for block in ROOTS["blocks"])
    spaced = " ".join(second[place : place + 8] for place in range(0, 64, 8)).upper()
    assert judge(tool, tmp_path, STATEMENT, None, "--root", first, "--root", spaced)[0] == 0
    answer, told = judge(tool, tmp_path, STATEMENT, None, "--root", second)
    assert answer == 1
    assert "Line 1 is in block 1" in told


@pytest.mark.parametrize("place", judged_places(ALL_SEALED), ids=str)
def test_a_change_of_any_field_is_refused(tmp_path: Path, place: tuple[Any, ...]) -> None:
    bad = changed(ALL_SEALED, place, spoiled(value_at(ALL_SEALED, place)))
    assert judge(tool, tmp_path, bad, ALL_ROOTS)[0] in REFUSED


@pytest.mark.parametrize(
    "place", [p for p in places_of(ALL_ROOTS) if p[0] not in FREE], ids=str
)
def test_a_change_of_the_roots_is_refused(tmp_path: Path, place: tuple[Any, ...]) -> None:
    bad = changed(ALL_ROOTS, place, spoiled(value_at(ALL_ROOTS, place)))
    assert judge(tool, tmp_path, ALL_SEALED, bad)[0] in REFUSED


def judged_part(statement: dict[str, Any]) -> str:
    """Return a statement without what is free; as text, since to Python 1 and 1.0 are equal."""
    return json.dumps({**statement, **dict.fromkeys(FREE)})


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_one_changed_character_is_refused(tmp_path: Path, data: st.DataObject) -> None:
    text = written(ALL_SEALED).decode()
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(
        st.one_of(
            st.sampled_from('0123456789abcdefABCDEF-+. :TZ"\\,[]{}'),
            st.characters(codec="utf-8"),
        )
    )
    bad = text[:place] + letter + text[place + 1 :]
    try:
        parsed = json.loads(bad)
    except ValueError:
        parsed = None
    # Spaces between fields say nothing, and the free fields are free.
    assume(not isinstance(parsed, dict) or judged_part(parsed) != judged_part(ALL_SEALED))
    assert judge(tool, tmp_path, bad.encode(), ALL_ROOTS)[0] in REFUSED


def test_what_is_declared_free_is_free(tmp_path: Path) -> None:
    for place in (("service",), ("holder", "name"), ("holder", "volunteer_no")):
        free = changed(STATEMENT, place, "another")
        assert judge(tool, tmp_path, free, ROOTS)[0] == 0


def lines_changed(change: Any, *, unsealed: int = 1) -> tuple[Any, Any]:
    statement, roots = a_statement(unsealed=unsealed)
    change(statement)
    return statement, roots


def drop_a_line(statement: Any) -> None:
    del statement["lines"][2]


def swap_two_lines(statement: Any) -> None:
    lines = statement["lines"]
    lines[2], lines[3] = lines[3], lines[2]


def say_it_twice(statement: Any) -> None:
    statement["lines"].insert(2, statement["lines"][1])


def raise_all_balances(statement: Any) -> None:
    statement["opening_balance"] = 100
    statement["closing_balance"] += 100
    for entry in statement["lines"]:
        entry["row"]["balance_after"] += 100
        entry["row"]["line"] += 1


def raise_a_line_and_all_after_it(statement: Any) -> None:
    statement["closing_balance"] += 5
    statement["lines"][2]["row"]["points"] += 5
    for entry in statement["lines"][2:]:
        entry["row"]["balance_after"] += 5


def pass_a_sealed_line_off_as_new(statement: Any) -> None:
    last = statement["lines"][-1]
    statement["lines"][-1] = {"row": {**last["row"], "reason": "other"}, "unsealed": True}


def another_book(statement: Any) -> None:
    row = statement["lines"][-1]["row"]
    row["wallet"] = row["source"] = "member:43"


def take_the_year_before(statement: Any) -> None:
    statement["period"] = "2025"


def say_newest_is_older(statement: Any) -> None:
    statement["newest_block"]["no"] = 1


@pytest.mark.parametrize(
    ("change", "unsealed", "sentence"),
    [
        (drop_a_line, 1, "Line 4 does not follow line 2"),
        (swap_two_lines, 1, "Line 4 does not follow line 2"),
        (say_it_twice, 1, "Line 2 does not follow line 2"),
        (raise_all_balances, 0, "Line 2 does not lead to the root of block 1"),
        (raise_a_line_and_all_after_it, 0, "Line 3 does not lead to the root of block 2"),
        (pass_a_sealed_line_off_as_new, 0, "Line 6 is said not to be sealed yet"),
        (another_book, 1, "Line 6 belongs to another passbook"),
        (take_the_year_before, 1, "Line 1 was not written within 2025"),
        (say_newest_is_older, 1, "Block 1, the newest that the statement names"),
    ],
)
def test_the_line_that_is_wrong_is_named(
    tmp_path: Path, change: Any, unsealed: int, sentence: str
) -> None:
    statement, roots = lines_changed(change, unsealed=unsealed)
    answer, told = judge(tool, tmp_path, statement, roots)
    assert answer == 1
    assert sentence in told
    assert "错误：" in told


def test_a_book_of_ones_own_making_is_not_published(tmp_path: Path) -> None:
    forged, own_roots = a_statement(unsealed=2)
    assert judge(tool, tmp_path, forged, own_roots)[0] == 0
    answer, told = judge(tool, tmp_path, forged, ROOTS)
    assert answer == 1
    assert "Block 2" in told


def test_an_empty_period_has_nothing_to_prove(tmp_path: Path) -> None:
    empty = {**STATEMENT, "lines": [], "opening_balance": 7, "closing_balance": 7}
    answer, told = judge(tool, tmp_path, empty, ROOTS)
    assert answer == 0
    assert "nothing to prove" in told
    assert judge(tool, tmp_path, {**empty, "closing_balance": 8}, ROOTS)[0] == 1


def test_before_the_first_block_nothing_is_proven(tmp_path: Path) -> None:
    rows = [{"row": entry["row"], "unsealed": True} for entry in STATEMENT["lines"]]
    early = {**STATEMENT, "lines": rows, "newest_block": None}
    answer, told = judge(tool, tmp_path, early, {**ROOTS, "blocks": []})
    assert answer == 0
    assert "RIGHT" not in told


def test_one_proof_alone_is_checked_too(tmp_path: Path) -> None:
    proof = STATEMENT["lines"][3]
    answer, told = judge(tool, tmp_path, proof, ROOTS)
    assert (answer, "RIGHT: all 1 sealed" in told) == (0, True)
    bad = changed(proof, ("row", "points"), 21)
    assert judge(tool, tmp_path, bad, ROOTS)[0] == 1


@pytest.mark.parametrize("is_compressed", [True, False])
def test_the_statement_in_a_pdf_is_found(tmp_path: Path, is_compressed: bool) -> None:
    data = written(STATEMENT)
    packed = zlib.compress(data) if is_compressed else data
    words = b"/Filter /FlateDecode\n" if is_compressed else b""
    pdf = (
        b"%PDF-1.7\n1 0 obj\n<<\n/Length 3\n>>\nstream\nabc\nendstream\nendobj\n"
        b"2 0 obj\n<<\n"
        + words
        + b"/Length %d\n/Params <</Size %d>>\n" % (len(packed), 3)
        + b"/Type /EmbeddedFile\n>>\nstream\n"
        + packed
        + b"\nendstream\nendobj\n"
    )
    assert judge(tool, tmp_path, pdf, ROOTS)[0] == 0
    assert judge(tool, tmp_path, b"%PDF-1.7\n", ROOTS)[0] == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{",
        '{"format": "pointsbank-statement/1"}',
        '{"format": "pointsbank-statement/1", "format": "pointsbank-statement/1"}',
        "[" * 100_000,
        "\ufeff{}",
        '{"a": "\\ud800"}',
    ],
)
def test_what_is_no_statement_is_unreadable(tmp_path: Path, text: str) -> None:
    answer, told = judge(tool, tmp_path, text.encode(), ROOTS)
    assert answer == 2
    assert "读不了" in told


def test_a_missing_file_is_unreadable(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-I", TOOL, tmp_path / "none.json"], capture_output=True, check=False
    )
    assert ran.returncode == 2
    assert "UNREADABLE" in ran.stdout.decode()
    assert ran.stderr == b""


def test_it_runs_alone_in_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_bytes(TOOL.read_bytes())
    (tmp_path / "statement.json").write_bytes(written(STATEMENT))
    (tmp_path / "roots.json").write_bytes(written(ROOTS))
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "tool.py", "statement.json", "--roots", "roots.json"],
        cwd=tmp_path,
        env={"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert b"RIGHT: all 5 sealed lines" in ran.stdout


def test_it_needs_the_standard_library_of_python_3_9_alone() -> None:
    tree = ast.parse(TOOL.read_text(), feature_version=(3, 9))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported
    assert imported <= sys.stdlib_module_names
