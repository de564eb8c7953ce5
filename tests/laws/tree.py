"""The checkout as the laws see it: its root, its Python files, and what git keeps."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE_FOLDERS = ("pointsbank", "migrations", "tests", "tools", "bench", "proving")


def python_files(*folders: str) -> list[Path]:
    """Return the Python files under these folders, or under all that hold code."""
    return sorted(
        path
        for folder in folders or CODE_FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if "__pycache__" not in path.parts
    )


def kept_files() -> list[Path]:
    """Return the files that git tracks or would add, as far as they still exist."""
    listing = subprocess.run(
        # A checkout that another user made, as containers mount it, is read all the same.
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = (ROOT / name for name in listing.stdout.split("\0") if name)
    return sorted(path for path in paths if path.is_file())


def shown(path: Path) -> str:
    """Return a path as it is written in a complaint."""
    return path.relative_to(ROOT).as_posix()
