"""Pages that a device keeps for when there is no network: their files, and the worker."""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import Response, url_for

from pointsbank.core.settings import ROOT

STATIC = ROOT / "static"
WORKER = STATIC / "js" / "keeping-worker.js"
# What the frame of every page loads; scripts bring the modules they import.
SHEETS = ("tokens", "components", "forms", "screens", "elder", "print")
FRAME = ("js/page.js", "icons.svg", "img/mark.svg")
# What stands in the frame of a page that is kept: no person, and nothing that only they may do.
NOBODYS_FRAME: dict[str, Any] = {
    "actor": None,
    "nav": [],
    "bar": [],
    "csrf_token": str,
    "get_flashed_messages": lambda **_: [],
}
IMPORTS = (
    re.compile(r"""^\s*(?:im|ex)port\s[^;]*?\sfrom\s+["'](\.[^"']+)["']""", re.MULTILINE),
    # What is only loaded when it is needed may be needed when there is no network.
    re.compile(r"""\bimport\(\s*["'](\.[^"']+)["']\s*\)"""),
)


@dataclass(frozen=True)
class KeptPage:
    """A page that a device keeps.

    name: what its caches are called. entries: the scripts that it loads besides the frame's.
    pages: the paths for which it stands in, as a regular expression that JavaScript reads.
    shell: the endpoint of the page without anybody's data, which is what is kept.
    """

    name: str
    entries: tuple[str, ...]
    pages: str
    shell: str


@cache
def files_of(kept: KeptPage) -> tuple[str, ...]:
    """Return every static file that the page loads, by its path below static/."""
    found = [f"css/{name}.css" for name in SHEETS]
    waiting = [*FRAME, *kept.entries]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.append(name)
        if not name.endswith(".js"):
            continue
        path = STATIC / name
        waiting += [
            str((path.parent / other).resolve().relative_to(STATIC))
            for statement in IMPORTS
            for other in statement.findall(path.read_text())
        ]
    return tuple(sorted(found))


@cache
def version_of(kept: KeptPage) -> str:
    """Return a name for these very files, so that a device never mixes old with new."""
    contents = [(STATIC / name).read_bytes() for name in files_of(kept)]
    return hashlib.sha256(b"".join(contents)).hexdigest()[:16]


def worker_of(kept: KeptPage) -> Response:
    """Answer the service worker, with the names of the files that it keeps."""
    head = {
        "name": kept.name,
        "version": version_of(kept),
        "files": [url_for("static", filename=name) for name in files_of(kept)],
        "pages": kept.pages,
        "shell": url_for(kept.shell),
    }
    script = f"const KEPT = {json.dumps(head)};\n{WORKER.read_text()}"
    return Response(script, mimetype="text/javascript")
