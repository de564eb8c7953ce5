"""More rows of the table of doors, one file for each feature; each file's ROWS are gathered."""

from importlib import import_module
from pkgutil import iter_modules

from tests.laws.doors import Row

ROWS: list[Row] = [
    row
    for module in sorted(iter_modules(__path__), key=lambda found: found.name)
    for row in import_module(f"{__name__}.{module.name}").ROWS
]
