"""Nothing in the repository depends on, or tells of, the machine that it was written on."""

import re
from pathlib import Path

import pytest

from tests.laws.tree import kept_files, shown

# Put together here, so that this file does not hold what it looks for.
HOSTS = (
    "pypi" + ".org",
    "python" + "hosted",
    "registry.npm" + "js",
    "npm" + "mirror",
    "deb.deb" + "ian",
    "jsde" + "livr",
    "unp" + "kg.com",
    "cdn" + "js.",
)
PATHS = ("/wo" + "rk/", "/ro" + "ot/", "/op" + "t/pypi", "/fa" + "rm/", "/tmp/" + "bash_")
AUTHORS = (
    "anth" + "ropic",
    "cla" + "ude",
    "chat" + "gpt",
    "cop" + "ilot",
    "language " + "model",
)
PATTERN = re.compile("|".join(map(re.escape, (*HOSTS, *PATHS, *AUTHORS))), re.IGNORECASE)


def told(content: bytes) -> list[str]:
    return PATTERN.findall(content.decode("utf-8", errors="replace"))


def files_of_ours() -> list[Path]:
    return [path for path in kept_files() if "vendor" not in path.parts[:-1]]


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    files = files_of_ours()
    assert files
    telling = {shown(path): words for path in files if (words := told(path.read_bytes()))}
    assert telling == {}


def test_requirements_hold_hashes_and_no_index(subtests: pytest.Subtests) -> None:
    files = [path for path in files_of_ours() if shown(path).startswith("requirements/")]
    pinned = [path for path in files if path.suffix == ".txt"]
    assert pinned
    for path in pinned:
        with subtests.test(path=shown(path)):
            text = path.read_text()
            assert "--hash=sha256:" in text
            assert not re.search(r"--(?:extra-)?index-url|--find-links|https?://", text)


@pytest.mark.parametrize("word", [HOSTS[0], PATHS[0] + "main", AUTHORS[1].title()])
def test_what_tells_is_found(word: str) -> None:
    assert told(f"see {word} for more".encode()) != []
