"""What a page holds and what it makes a browser fetch, read from its HTML."""

import re
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from tests.laws.tree import ROOT

STATIC = "/static/"
CSS_RULE = re.compile(r"([^{}]+)\{[^{}]*?url\(([^)]+)\)")
CSS_CLASS = re.compile(r"\.([A-Za-z][\w-]*)")
JS_IMPORT = re.compile(r"""^\s*import\s[^;]*?["']([^"']+)["']""", re.MULTILINE)


@cache
def fetched_by(path: Path) -> list[tuple[str, Path]]:
    """Return what a script or a sheet fetches itself, a sheet's images with their selectors."""
    if path.suffix == ".js":
        found = [("", name) for name in JS_IMPORT.findall(path.read_text())]
    elif path.suffix == ".css":
        found = CSS_RULE.findall(path.read_text())
    else:
        found = []
    return [(rule, (path.parent / name.strip("\"'")).resolve()) for rule, name in found]


@dataclass
class Page(HTMLParser):
    """One page: what breaks the rule against inline code, its forms, and what it refers to."""

    html: str
    faults: list[str] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.classes.update(given.get("class", "").split())
        self.find_faults(tag, given)
        for name in ("href", "src", "data-icons", "action"):
            value = given.get(name, "")
            if name in ("href", "action"):
                self.links.append(value)
            if value.startswith(STATIC) and tag != "a":
                self.files.add(value.split("#")[0].split("?")[0])

    def find_faults(self, tag: str, given: dict[str, str]) -> None:
        """Note what a strict policy forbids, and what would be fetched from elsewhere."""
        line = self.getpos()[0]
        for name, value in given.items():
            if name == "style" or name.startswith("on"):
                self.faults.append(f"line {line}: <{tag} {name}=…>")
            if value.strip().lower().startswith("javascript:"):
                self.faults.append(f"line {line}: <{tag} {name}=javascript:…>")
            if name == "src" and re.match(r"(https?:)?//", value):
                self.faults.append(f"line {line}: <{tag} src={value}>")
        if tag == "style" or (tag == "script" and not given.get("src")):
            self.faults.append(f"line {line}: inline <{tag}>")
        if tag == "link" and re.match(r"(https?:)?//", given.get("href", "")):
            self.faults.append(f"line {line}: <link href={given['href']}>")

    def weight(self) -> int:
        """Return the bytes of the page and of all that it makes a browser fetch, unpacked."""
        files: set[Path] = set()
        for name in self.files:
            self.add(ROOT / name.lstrip("/"), files)
        return len(self.html.encode()) + sum(path.stat().st_size for path in files)

    def add(self, path: Path, files: set[Path]) -> None:
        """Add a file with what it fetches itself: a script its modules, a sheet its images."""
        if path in files:
            return
        files.add(path)
        for selectors, other in fetched_by(path):
            if not selectors or self.may_show(selectors):
                self.add(other, files)

    def may_show(self, selectors: str) -> bool:
        """Tell whether a rule's selector can meet an element here, by its classes."""
        each = (set(CSS_CLASS.findall(selector)) for selector in selectors.split(","))
        return any(needed <= self.classes for needed in each)
