"""Functions fit the eye and files fit the head."""

import ast

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


def test_files_and_functions_are_short() -> None:
    sources = {shown(path): path.read_text() for path in python_files(*JUDGED_FOLDERS)}
    assert sources
    lines = {name: source.count("\n") for name, source in sources.items()}
    assert {name: count for name, count in lines.items() if count > FILE_LINES_MAX} == {}
    functions = {name: long_functions(source) for name, source in sources.items()}
    assert {name: found for name, found in functions.items() if found} == {}


def test_a_function_one_line_too_long_is_found() -> None:
    fitting = "def f():\n" + "    pass\n" * (FUNCTION_LINES_MAX - 1)
    assert long_functions(fitting) == []
    assert long_functions(fitting + "    pass\n") == ["line 1: f"]
