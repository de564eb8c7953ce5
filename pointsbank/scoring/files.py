"""Standards as YAML: read within bounds, written so that reading gives the same again."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pointsbank.scoring.contents import compact
from pointsbank.scoring.errors import BadStandardFile, NoSuchShippedStandard

# Sixty items with every field take a third of it.
FILE_BYTES_MAX = 100_000
DEPTH_MAX = 6
SHIPPED = Path(__file__).parent / "data"
TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "bool", "null")}
# Octal, binary, sixties and dates are text here: a number is what a person reads as one.
PLAIN = {
    "tag:yaml.org,2002:int": (re.compile(r"(?:0|-?[1-9][0-9]{0,8})$"), "-0123456789"),
    "tag:yaml.org,2002:bool": (re.compile(r"(?:true|false)$"), "tf"),
    "tag:yaml.org,2002:null": (re.compile(r"(?:null|~|)$"), ["n", "~", ""]),
}


class Reader(yaml.SafeLoader):
    """Reads maps, lists, text, whole numbers, true, false and nothing; no more of YAML."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Read one node; an alias would let a few bytes stand for millions."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise BadStandardFile(BadStandardFile.alias, line=line)
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise BadStandardFile(BadStandardFile.deep, line=line)
        node = super().compose_node(parent, index)
        self.depth -= 1
        if node is not None and node.tag not in TAGS:
            raise BadStandardFile(BadStandardFile.tag, line=line)
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Read fields; the second of one name would silently win."""
        seen = set()
        for key, _value in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                raise BadStandardFile(BadStandardFile.key, line=key.start_mark.line + 1)
            if key.value in seen:
                raise BadStandardFile(
                    BadStandardFile.twice, line=key.start_mark.line + 1, name=key.value[:40]
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=True)


for tag, (pattern, first) in PLAIN.items():
    Reader.add_implicit_resolver(tag, pattern, list(first))  # type: ignore[no-untyped-call]


def read_file(data: bytes) -> Any:
    """Return what a YAML file holds, as plain data still to be judged.

    Raises BadStandardFile, which names the line.
    """
    if len(data) > FILE_BYTES_MAX:
        raise BadStandardFile(BadStandardFile.big, most=FILE_BYTES_MAX // 1000)
    try:
        text = data.decode("utf-8-sig")
        reader = Reader(text)
        return reader.get_single_data()
    except UnicodeDecodeError as error:
        raise BadStandardFile(BadStandardFile.encoding) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BadStandardFile(line=mark.line + 1 if mark else 1) from error
    except yaml.YAMLError as error:
        raise BadStandardFile(line=1) from error


def written(content: Mapping[str, Any]) -> bytes:
    """Return a judged content as a YAML file; reading and judging it gives the same content."""
    text: str = yaml.safe_dump(
        compact(content), allow_unicode=True, sort_keys=False, width=96, line_break="\n"
    )
    return text.encode()


@cache
def shipped_names() -> tuple[str, ...]:
    """Return the names of the standards that come with the service, the default one first."""
    names = sorted(path.stem for path in SHIPPED.glob("*.yaml"))
    return tuple(sorted(names, key=lambda name: name != "default"))


def shipped(name: str) -> Any:
    """Return one of the standards that come with the service, still to be judged.

    Raises NoSuchShippedStandard.
    """
    if name not in shipped_names():
        raise NoSuchShippedStandard
    return read_file((SHIPPED / f"{name}.yaml").read_bytes())
