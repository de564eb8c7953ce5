"""Who may import whom: the contracts of pyproject.toml, and the order inside a room."""

import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from tests.laws.tree import ROOT

NOT_ROOMS = ("__main__", "app", "commands", "jobs", "core", "web")
# A file with a name of its own, such as redeeming.py, holds writes, as service.py does.
WRITES = 3
STEPS = {
    "errors": 0,
    "models": 1,
    "queries": 2,
    "policy": 2,
    "service": WRITES,
    "words": 4,
    "schemas": 5,
    "api": 6,
    "pages": 6,
}
# The files of one feature build upon those of their room: review_schemas.py upon schemas.py.
STEPS_OF_FEATURES = {"errors": 0, "words": 4.5, "schemas": 5.5, "api": 6}
OF_HTTP = {"flask", "flask_babel", "flask_login", "flask_smorest", "flask_wtf", "werkzeug"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("pointsbank", include_external_packages=True)


def step_of(module: str) -> float:
    """Return the step of a file by its name, or by its last word: series_schemas.py."""
    name = module.split(".")[2]
    return STEPS.get(name, STEPS_OF_FEATURES.get(name.rpartition("_")[2], WRITES))


def are_of_one_door(module: str, other: str) -> bool:
    """Tell whether two files lie in one package of pages: a door too large for one file."""
    return module.split(".")[:3] == other.split(".")[:3] and module.split(".")[2] == "pages"


def files_of_rooms(graph: grimp.ImportGraph) -> list[str]:
    parts = (module.split(".") for module in graph.modules)
    return [
        ".".join(part)
        for part in parts
        if part[0] == "pointsbank" and len(part) > 2 and part[1] not in NOT_ROOMS
    ]


def test_the_import_contracts_are_kept() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    checked = subprocess.run(
        [sys.executable, str(linter), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_inside_a_room_imports_lead_downwards(graph: grimp.ImportGraph) -> None:
    modules = files_of_rooms(graph)
    assert modules
    upwards = [
        f"{module} imports {imported}"
        for module in modules
        for imported in graph.find_modules_directly_imported_by(module)
        if imported in modules
        and imported.split(".")[1] == module.split(".")[1]
        and step_of(imported) >= step_of(module)
        and not step_of(imported) == step_of(module) == WRITES
        and not are_of_one_door(imported, module)
    ]
    assert upwards == []


def test_behind_the_doors_no_file_imports_flask(graph: grimp.ImportGraph) -> None:
    modules = [module for module in files_of_rooms(graph) if step_of(module) <= WRITES]
    assert modules
    knowing = {
        module: found
        for module in modules
        if (found := OF_HTTP & graph.find_modules_directly_imported_by(module))
    }
    assert knowing == {}
