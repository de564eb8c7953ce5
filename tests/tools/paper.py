"""Statements made without the service, by the rules of the ledger, to be spoiled."""

import hashlib
import importlib.util
import io
import json
import sys
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from pointsbank.core.clock import moment_text
from pointsbank.ledger import leaves
from tests.laws.tree import ROOT

TOOL = ROOT / "tools" / "verify_statement.py"
BEGIN = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
BOOK = "member:42"
REASONS = ("清理桃河河道 🌊", "大米 5 公斤", '"毛巾" \\ 100%', "冲正", "夜间巡逻", "")
# Points of each line; below zero they go out.
CHANGES = (30, -20, 45, 20, 10, -5)


def load_tool() -> ModuleType:
    """Load the tool from its file, as a desk that has nothing else."""
    spec = importlib.util.spec_from_file_location("verify_statement", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["verify_statement"] = module
    spec.loader.exec_module(module)
    return module


def a_row(line: int, change: int, balance: int, reason: str) -> dict[str, Any]:
    """Return one row of the book as the ledger writes it; ids have gaps, as in life."""
    moment = moment_text(BEGIN + timedelta(hours=line))
    outside = "merchant:7" if change < 0 else "issue:community:140303001002"
    return {
        "id": 100 + 3 * line,
        "key": f"award:{line}",
        "kind": "earn" if change > 0 else "spend",
        "source": outside if change > 0 else BOOK,
        "target": BOOK if change > 0 else outside,
        "points": abs(change),
        "wallet": BOOK,
        "line": line,
        "balance_after": balance,
        "hold_id": 3 if change < 0 else None,
        "reverses_id": None,
        "occurred_at": moment,
        "recorded_at": moment,
        "expires_on": "2027-12-31" if change > 0 else None,
        "actor_id": 7,
        "reason": reason,
        "request_hash": hashlib.sha256(str(line).encode()).hexdigest(),
    }


def sealed(
    rows: list[dict[str, Any]], blocks: list[dict[str, Any]], foreign: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Seal rows with some of other people; return the block and the proofs of the rows."""
    no = len(blocks) + 1
    salt = bytes([no]) * 32
    others = [hashlib.sha256(bytes([no, place])).digest() for place in range(foreign)]
    blinds = [leaves.blind_of(salt, row["id"]) for row in rows]
    own = [
        leaves.leaf_of(blind, leaves.text_of(row).encode())
        for blind, row in zip(blinds, rows, strict=True)
    ]
    levels = leaves.levels_of([*others[:2], *own, *others[2:]])
    count = len(levels[0])
    head = {
        "no": no,
        "up_to": rows[-1]["id"] + 1,
        "count": count,
        "total": (blocks[-1]["total"] if blocks else 0) + count,
        "sealed_at": moment_text(BEGIN + timedelta(days=no)),
        "tree": levels[-1][0].hex(),
    }
    previous = bytes.fromhex(blocks[-1]["root"]) if blocks else leaves.NO_BLOCK
    hashed = {**head, "tree": levels[-1][0], "previous_hash": previous}
    head["root"] = leaves.block_root(**hashed).hex()
    header = {name: value for name, value in head.items() if name != "tree"}
    proofs = [
        {
            "format": "pointsbank-proof/1",
            "row": row,
            "blind": blind.hex(),
            "path": [
                [side, beside.hex()]
                for side, beside in leaves.path_to(levels, place + len(others[:2]))
            ],
            "block": {**header, "previous_hash": previous.hex()},
        }
        for place, (row, blind) in enumerate(zip(rows, blinds, strict=True))
    ]
    return head, proofs


def a_statement(*, unsealed: int = 1) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a statement of six lines, the last so many unsealed, and its roots."""
    rows, balance = [], 0
    for line, (change, reason) in enumerate(zip(CHANGES, REASONS, strict=True), start=1):
        balance += change
        rows.append(a_row(line, change, balance, reason))
    blocks: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    end = len(rows) - unsealed
    for part, foreign in ((rows[:2], 1), (rows[2:end], 4)):
        block, proofs = sealed(part, blocks, foreign)
        blocks.append(block)
        entries += proofs
    entries += [{"row": row, "unsealed": True} for row in rows[end:]]
    statement = {
        "format": "pointsbank-statement/1",
        "service": "https://points.example.org",
        "holder": {"name": "王桂兰", "volunteer_no": "00000042"},
        "period": "2026-11",
        "opening_balance": 0,
        "closing_balance": balance,
        "lines": entries,
        "newest_block": {"no": blocks[-1]["no"], "root": blocks[-1]["root"]},
    }
    roots = {"format": "pointsbank-roots/1", "service": "x", "blocks": blocks}
    return statement, roots


def written(value: Any) -> bytes:
    """Return a value as the service writes its files."""
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def judge(
    tool: ModuleType, folder: Path, statement: Any, roots: Any = None, *more: str
) -> tuple[int, str]:
    """Run the tool on these files; return its answer and what it printed."""
    arguments = [str(folder / "statement.json"), *more]
    for name, value in (("statement.json", statement), ("roots.json", roots)):
        if value is not None:
            data = value if isinstance(value, bytes) else written(value)
            (folder / name).write_bytes(data)
    if roots is not None:
        arguments += ["--roots", str(folder / "roots.json")]
    told = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with redirect_stdout(told):
        answer = tool.main(arguments)
    told.seek(0)
    return answer, told.read()
