"""Functions fit the eye and files fit the head."""

import ast
from pathlib import Path

import pytest

from tests.laws.tree import python_files, shown

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500


def long_functions(source: str) -> list[str]:
    functions = (
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return [
        f"line {function.lineno}: {function.name}"
        for function in functions
        if (function.end_lineno or 0) - function.lineno + 1 > FUNCTION_LINES_MAX
    ]


# A migration is a list of steps, read once and then frozen: it is as long as its tables are.
JUDGED_FOLDERS = ("pointsbank", "tests", "tools", "bench")


@pytest.mark.parametrize("path", python_files(*JUDGED_FOLDERS), ids=shown)
def test_a_file_and_its_functions_are_short(path: Path) -> None:
    source = path.read_text()
    assert source.count("\n") <= FILE_LINES_MAX
    assert long_functions(source) == []


def test_a_function_one_line_too_long_is_found() -> None:
    fitting = "def f():\n" + "    pass\n" * (FUNCTION_LINES_MAX - 1)
    assert long_functions(fitting) == []
    assert long_functions(fitting + "    pass\n") == ["line 1: f"]
