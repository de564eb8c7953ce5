"""What a row of the table of doors says: who may, what it names, how one knocks."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import TestResponse

from pointsbank.core.keys import draw_token
from tests.laws.world import Kind, Made

ANYONE, MEMBERS = "anyone", "every member"
Judge = Callable[[TestResponse], bool]

ORGANIZER = ("organizer",)
ADMINISTRATOR = ("administrator",)
CARD_GIVERS = ("administrator", "organizer")
READERS = ("administrator", "secretary")
VIEWERS = ("administrator", "secretary", "auditor")
RANKING_READERS = (*VIEWERS, "committee")
COUNTER = ("administrator", "clerk")
DAY_READERS = ("administrator", "clerk", "auditor")

# Pages of one row each are tested together, by what they are for.
GATHERED = {
    **dict.fromkeys(("S", "s", "M", "m", "K", "k", "R", "r", "scan", "scanned"), "codes"),
    **dict.fromkeys(("healthz", "readyz", "metrics", "api"), "operations"),
    **dict.fromkeys(("", "sign-in", "sign-out", "display", "language"), "front"),
    **dict.fromkeys(("me", "my-code", "my-tasks", "passbook", "claims"), "own"),
    **dict.fromkeys(("dashboard", "rankings"), "rankings"),
    **dict.fromkeys(("till", "redemptions"), "counter"),
    **dict.fromkeys(("tasks", "organizing"), "tasks"),
}
PEOPLE_FILE = "姓名,手机号,所属组织编码,类别\n孙立新,13911112222,{code},志愿者\n"
TREE_FILE = "code,name,kind,parent_code\n{code}X,新楼栋,building,{code}\n"


def did_it(answer: TestResponse) -> bool:
    """Tell whether the request was carried out; some pages tell of a refusal afterwards."""
    return answer.status_code < 400 and "error" not in getattr(answer, "told", ())


def says_nothing_is_there(answer: TestResponse) -> bool:
    """Tell whether a foreign object was refused."""
    return answer.status_code in (403, 404)


def says_not_allowed(answer: TestResponse) -> bool:
    """Tell whether a person was turned away at the door."""
    return answer.status_code == 403


def says_no(answer: TestResponse) -> bool:
    """Tell whether nothing was done, on a page that tells of it afterwards too."""
    return not did_it(answer)


@dataclass(frozen=True)
class Row:
    """One door: who may, what it names, and how it is knocked at.

    is_done: tells that the request was carried out. is_foreign: that a foreign object was
    refused. is_denied: that a member without the role was. case: why a door has a second row.
    """

    method: str
    rule: str
    who: str | tuple[str, ...]
    send: Callable[[Made], dict[str, Any]]
    objects: dict[str, Kind] = field(default_factory=dict)
    case: str = ""
    is_done: Judge = did_it
    is_foreign: Judge = says_nothing_is_there
    is_denied: Judge = says_not_allowed

    @property
    def is_page(self) -> bool:
        return not self.rule.startswith("/api/")

    @property
    def name(self) -> str:
        return f"{self.method} {self.rule}" + f" ({self.case})" * bool(self.case)

    @property
    def room(self) -> str:
        """The first word of the path, or what stands for several: rooms are tested together."""
        word = self.rule.removeprefix("/api/v1").split("/")[1]
        return f"pages {GATHERED.get(word, word)}" if self.is_page else word

    def admits(self, persona: str) -> bool:
        """Tell whether this person may use the door, for objects within their reach."""
        if self.who == ANYONE:
            return True
        if self.who == MEMBERS:
            return persona != "anonymous"
        return persona in self.who or persona.removeprefix("first ") in self.who


def nothing(_made: Made) -> dict[str, Any]:
    return {}


def fields(**values: Any) -> Callable[[Made], dict[str, Any]]:
    """Send these as JSON; a name in capitals stands for what was made under it."""
    return lambda made: {"json": filled(values, made)}


def keyed(**values: Any) -> Callable[[Made], dict[str, Any]]:
    """Send these as JSON, under a key of this one request."""
    return lambda made: {
        "json": filled(values, made),
        "headers": {"Idempotency-Key": draw_token()},
    }


def asking(**values: Any) -> Callable[[Made], dict[str, Any]]:
    """Send these in the query."""
    return lambda made: {"query_string": filled(values, made)}


def form(**values: Any) -> Callable[[Made], dict[str, Any]]:
    """Send these as a page's form."""
    return lambda made: {"data": filled(values, made)}


def filled(value: Any, made: Made) -> Any:
    """Return a body in which each name in capitals has become what was made under it."""
    if isinstance(value, dict):
        return {name: filled(inner, made) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, made) for inner in value]
    if isinstance(value, str) and value.isupper() and value.lower() in made:
        return made[value.lower()]
    return value


def file_of(text: str) -> Callable[[Made], dict[str, Any]]:
    """Send a CSV file whose places are filled with what was made."""
    return lambda made: {
        "data": {"file": (io.BytesIO(text.format(**made).encode()), "rows.csv")}
    }


def door(
    method: str,
    rule: str,
    who: str | tuple[str, ...],
    send: Callable[[Made], dict[str, Any]] = nothing,
    *,
    case: str = "",
    is_done: Judge = did_it,
    is_foreign: Judge = says_nothing_is_there,
    is_denied: Judge = says_not_allowed,
    **objects: Kind,
) -> Row:
    """Return a row; objects are those in the path and those named in the body."""
    return Row(method, rule, who, send, objects, case, is_done, is_foreign, is_denied)
