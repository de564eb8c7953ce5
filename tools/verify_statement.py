#!/usr/bin/env python3
"""Check a statement of a points passbook against the published roots: one file, no network.

    python verify_statement.py statement.json --roots roots.json
    python verify_statement.py statement.pdf --root 5f0c…

Needs Python 3.9 or newer and nothing else. The answer is 0 when all is right, 1 when something
is wrong (the line is named), 2 when a file cannot be read. What is checked, and how to do it by
hand: docs/ledger.md, "Statements".
"""

import argparse
import hashlib
import json
import re
import sys
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, Optional, cast

# Each field with its kind: s text, n whole number, h hash, o object, l list; ? may be null.
# The fields of a row stand in the order in which they are hashed.
ROW = (
    "id:n key:s kind:s source:s target:s points:n wallet:s line:n balance_after:n hold_id:n? "
    "reverses_id:n? occurred_at:s recorded_at:s expires_on:s? actor_id:n? reason:s "
    "request_hash:h"
)
PROOF = "format:s row:o blind:h path:l block:o"
HEADER = "no:n up_to:n count:n total:n previous_hash:h root:h sealed_at:s"
STATEMENT = (
    "format:s service:s holder:o period:s opening_balance:n closing_balance:n lines:l "
    "newest_block:o?"
)
STATEMENT_FORM, PROOF_FORM = "pointsbank-statement/1", "pointsbank-proof/1"
ROOTS = "format:s service:s blocks:l"
PUBLISHED = "no:n up_to:n count:n total:n sealed_at:s tree:h root:h"
ROW_FIELDS = [field.partition(":")[0] for field in ROW.split()]
HEADER_FIELDS = [field.partition(":")[0] for field in HEADER.split()]

HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
PERIOD = re.compile(r"(20\d\d)(?:-(0[1-9]|1[0-2]))?", re.ASCII)
OFFSET = re.compile(r"([+-])(0\d|1[0-4]):([0-5]\d)", re.ASCII)
EMBEDDED = re.compile(
    rb"<<(?:(?!endobj).)*?/Type\s*/EmbeddedFile(?:(?!endobj).)*?stream\r?\n", re.DOTALL
)
LENGTH = re.compile(rb"/Length\s+(\d+)")

SEPARATOR = "\x1f"
# The separator of fields, and halves of surrogate pairs.
NEVER_IN_A_ROW = re.compile(r"[\x1f\ud800-\udfff]")
# The clocks of two counters may differ by so much where one period ends and the next begins.
CLOCKS_APART_MAX = timedelta(minutes=1)
INT64_MAX = 2**63 - 1
UTC = timezone(timedelta(0))
RIGHT, WRONG, UNREADABLE = 0, 1, 2


class Found(Exception):
    """What is amiss, in Chinese and in English, with the answer of the program."""

    def __init__(self, answer: int, zh: str, en: str) -> None:
        """Keep both sentences."""
        super().__init__(en)
        self.answer, self.zh, self.en = answer, zh, en


def unreadable(zh: str, en: str) -> Found:
    """Return that a file is none of ours, or is damaged."""
    return Found(UNREADABLE, zh, en)


def wrong(line: int, zh: str, en: str) -> Found:
    """Return that a line of the statement does not hold."""
    return Found(WRONG, f"第 {line} 行{zh}", f"Line {line} {en}")


def shaped(found: Any, fields: str, what: str, form: str = "") -> Any:
    """Return an object after its fields were found to be just these, each of its own kind.

    Strict on purpose: 25 and "25" would give the same hash, and only one of them is right.
    """
    if not isinstance(found, dict) or (form and found.get("format") != form):
        raise unreadable(f"格式不对：{what}。", f"Not of our form: {what}.")
    kinds = dict(field.split(":") for field in fields.split())
    for name in sorted(set(found) ^ set(kinds)):
        raise unreadable(
            f"缺少字段或多了字段 {name}：{what}。", f"Missing or foreign field {name}: {what}."
        )
    for name, kind in kinds.items():
        if not is_of(found[name], kind):
            raise unreadable(f"字段 {name} 写法不对：{what}。", f"Bad field {name}: {what}.")
    return found


def is_of(value: Any, kind: str) -> bool:
    """Tell whether a value is of this kind."""
    if value is None:
        return kind.endswith("?")
    if kind[0] == "n":
        return type(value) is int and 0 <= value <= INT64_MAX
    if kind[0] == "h":
        return isinstance(value, str) and HASH.fullmatch(value) is not None
    if kind[0] == "s":
        return isinstance(value, str) and NEVER_IN_A_ROW.search(value) is None
    return isinstance(value, dict if kind[0] == "o" else list)


def pairs_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Read an object in which no name stands twice: two readers could take different ones."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def read_json(data: bytes) -> Any:
    """Return what JSON text holds."""
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=pairs_once)
    except (ValueError, RecursionError) as error:
        raise unreadable(
            "文件不是完整的 JSON，可能没有下载完，或者被改坏了。",
            "The file is not whole JSON: perhaps the download broke off.",
        ) from error


def read_bytes(path: str) -> bytes:
    """Return a file's bytes."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise unreadable(
            f"打不开文件 {path}：{error.strerror}。", f"Cannot open {path}: {error.strerror}."
        ) from error


def attached_to(pdf: bytes) -> bytes:
    """Return the statement that a PDF of ours carries as an attachment."""
    found = EMBEDDED.search(pdf)
    length = found and LENGTH.search(found.group())
    if not found or not length:
        zh = "这个 PDF 里没有附带对账单数据，请改用对账单文件（JSON）。"
        raise unreadable(zh, "This PDF carries no statement: take the statement file (JSON).")
    data = pdf[found.end() : found.end() + int(length.group(1))]
    if b"/FlateDecode" not in found.group():
        return data
    try:
        return zlib.decompress(data)
    except zlib.error as error:
        raise unreadable(
            "PDF 里附带的数据坏了。", "The PDF's attachment is damaged."
        ) from error


def read_statement(path: str) -> dict[str, Any]:
    """Return the statement in a JSON file or in the PDF that carries it, or a proof as one."""
    data = read_bytes(path)
    found: Any = read_json(attached_to(data) if data.startswith(b"%PDF-") else data)
    if isinstance(found, dict) and found.get("format") == PROOF_FORM:
        return alone(found)
    shaped(found, STATEMENT, f"{path} ({STATEMENT_FORM})", STATEMENT_FORM)
    if found["newest_block"] is not None:
        shaped(found["newest_block"], "no:n root:h", "newest_block")
    return cast(dict[str, Any], found)


def alone(proof: dict[str, Any]) -> dict[str, Any]:
    """Return the proof of one line as the statement that this line makes by itself."""
    row = shaped(shaped(proof, PROOF, "proof")["row"], ROW, "row")
    block = shaped(proof["block"], HEADER, "block")
    after, points = row["balance_after"], row["points"]
    return {
        "period": None,
        "opening_balance": after - (points if row["wallet"] == row["target"] else -points),
        "closing_balance": after,
        "lines": [proof],
        "newest_block": block,
    }


def sha256(*parts: bytes) -> bytes:
    """Hash these bytes, one after the other."""
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_of(row: dict[str, Any], blind: bytes) -> bytes:
    """Return the leaf of a row: the hash of its fields in order, nothing for null."""
    text = SEPARATOR.join("" if row[name] is None else str(row[name]) for name in ROW_FIELDS)
    return sha256(b"\x00", blind, text.encode("utf-8"))


def climb(leaf: bytes, path: list[Any]) -> bytes:
    """Return the root of the tree that a leaf and the hashes beside its way up make."""
    node = leaf
    for step in path:
        is_step = isinstance(step, list) and len(step) == 2 and is_of(step[1], "h")
        if not is_step or step[0] not in ("left", "right"):
            raise unreadable("凭证的路径写法不对。", "The path of a proof is misspelled.")
        beside = bytes.fromhex(step[1])
        node = sha256(b"\x01", *((beside, node) if step[0] == "left" else (node, beside)))
    return node


def header_hash(block: dict[str, Any], previous_hash: bytes, tree: bytes) -> str:
    """Return the root of a block: it binds the block before, its numbers and its tree."""
    numbers = [block[name].to_bytes(8, "big") for name in ("no", "up_to", "count", "total")]
    sealed_at = block["sealed_at"].encode("utf-8")
    return sha256(b"\x02", previous_hash, *numbers, sealed_at, tree).hex()


def read_roots(path: str) -> dict[int, dict[str, Any]]:
    """Return every published block by its number, after the chain between them was checked."""
    form = "pointsbank-roots/1"
    found = shaped(read_json(read_bytes(path)), ROOTS, f"{path} ({form})", form)
    blocks: dict[int, dict[str, Any]] = {}
    before: dict[str, Any] = {"no": 0, "up_to": 0, "total": 0, "root": bytes(32).hex()}
    for block in found["blocks"]:
        shaped(block, PUBLISHED, f"{path}, block {before['no'] + 1}")
        no, previous = block["no"], before["root"]
        root = header_hash(block, bytes.fromhex(previous), bytes.fromhex(block["tree"]))
        follows = (
            no == before["no"] + 1
            and block["total"] == before["total"] + block["count"]
            and block["up_to"] > before["up_to"]
        )
        if not follows or root != block["root"]:
            en = f"Block {no} of the roots does not follow from the one before, or was changed."
            raise Found(WRONG, f"根值表里第 {no} 块与前一块接不上，或者被改过。", en)
        blocks[no] = before = {**block, "previous_hash": previous}
    return blocks


def bounds_of(period: Optional[str], offset: timedelta) -> tuple[str, str]:  # noqa: UP045
    """Return where a month or year begins and ends in UTC, as rows have it, a minute wider."""
    if period is None:
        return "", "~"
    match = PERIOD.fullmatch(period)
    if match is None:
        raise unreadable(f"看不懂期间 {period}。", f"{period} is no month and no year.")
    first = 12 * int(match.group(1)) + int(match.group(2) or 1) - 1
    after = first + (1 if match.group(2) else 12)
    since = datetime(first // 12, first % 12 + 1, 1, tzinfo=UTC) - offset - CLOCKS_APART_MAX
    until = datetime(after // 12, after % 12 + 1, 1, tzinfo=UTC) - offset + CLOCKS_APART_MAX
    return f"{since:%Y-%m-%dT%H:%M:%S.%fZ}", f"{until:%Y-%m-%dT%H:%M:%S.%fZ}"


class Checker:
    """Goes through a statement line by line, and keeps what the next line has to follow.

    roots: single published roots. blocks: all published blocks, None when they are not at hand.
    """

    def __init__(
        self,
        statement: dict[str, Any],
        roots: set[str],
        blocks: Optional[dict[int, dict[str, Any]]],  # noqa: UP045  # for Python 3.9
        offset: timedelta,
    ) -> None:
        """Begin before the first line."""
        self.statement, self.roots, self.blocks = statement, roots, blocks
        self.since, self.until = bounds_of(statement["period"], offset)
        self.newest = statement["newest_block"]
        self.balance = statement["opening_balance"]
        self.before: dict[str, Any] = {}
        self.first_unsealed = 0
        self.block_no = 0

    def check(self) -> Iterator[tuple[dict[str, Any], int]]:
        """Yield each line that was found right with the number of its block, 0 if unsealed."""
        if self.blocks is not None and self.newest is not None:
            known = self.blocks.get(self.newest["no"])
            if known is None or known["root"] != self.newest["root"]:
                raise Found(
                    WRONG,
                    f"对账单写的最新一块（第 {self.newest['no']} 块）不在公布的根值里。",
                    f"Block {self.newest['no']}, the newest that the statement names, is not "
                    "among the published ones.",
                )
        for place, entry in enumerate(self.statement["lines"], start=1):
            yield self.judge_entry(place, entry)
        closing = self.statement["closing_balance"]
        if self.balance != closing:
            raise Found(
                WRONG,
                f"期末结余写的是 {closing}，按各行算出来是 {self.balance}。",
                f"The closing balance says {closing}; the lines come to {self.balance}.",
            )

    def judge_entry(self, place: int, entry: Any) -> tuple[dict[str, Any], int]:
        """Return a row with the number of its block, 0 if unsealed."""
        is_unsealed = isinstance(entry, dict) and "unsealed" in entry
        if is_unsealed:
            shaped({**entry, "unsealed": {}}, "row:o unsealed:o", f"entry {place}")
        else:
            shaped(entry, PROOF, f"entry {place}", PROOF_FORM)
        row = shaped(entry["row"], ROW, f"entry {place}, row")
        self.judge_order(row)
        self.judge_balance(row)
        if is_unsealed:
            self.judge_unsealed(row, entry)
        else:
            self.judge_proof(row, entry)
        self.before = row
        return row, 0 if is_unsealed else self.block_no

    def judge_order(self, row: dict[str, Any]) -> None:
        """Check that lines follow without a gap, in one book, within the period."""
        line, before = row["line"], self.before
        if before and row["wallet"] != before["wallet"]:
            raise wrong(line, "是另一本存折的。", "belongs to another passbook.")
        if before and (line != before["line"] + 1 or row["id"] <= before["id"]):
            expected = before["line"] + 1
            raise wrong(
                line,
                f"接不上前面的第 {before['line']} 行，这里应是第 {expected} 行。",
                f"does not follow line {before['line']}; line {expected} is missing here.",
            )
        if MOMENT.fullmatch(row["recorded_at"]) is None:
            raise wrong(line, "的记账时间写法不对。", "has a misspelled moment.")
        if not self.since <= row["recorded_at"] < self.until:
            period = self.statement["period"]
            raise wrong(line, f"不是 {period} 记的账。", f"was not written within {period}.")

    def judge_balance(self, row: dict[str, Any]) -> None:
        """Check that the balance follows from the line before, or from the opening balance."""
        line, sides = row["line"], (row["source"], row["target"])
        if sides.count(row["wallet"]) != 1:
            raise wrong(line, "的收付双方与存折对不上。", "does not move points of this book.")
        if line <= 1 and (line < 1 or self.balance != 0):
            raise wrong(line, "之前的结余应为 0。", "begins the book, with a balance of 0.")
        is_in = row["wallet"] == row["target"]
        self.balance += row["points"] if is_in else -row["points"]
        if row["balance_after"] != self.balance:
            after = row["balance_after"]
            zh = f"的结余写的是 {after}，接上一行算出来是 {self.balance}。"
            raise wrong(line, zh, f"says balance {after}; it should be {self.balance}.")

    def judge_unsealed(self, row: dict[str, Any], entry: dict[str, Any]) -> None:
        """Check that a line that is said not to be sealed yet could not have been."""
        line = row["line"]
        self.first_unsealed = self.first_unsealed or line
        known = (self.blocks or {}).get(self.newest["no"]) if self.newest else None
        if entry["unsealed"] is not True or (known and row["id"] <= known["up_to"]):
            raise wrong(
                line,
                "说还没封存，可按流水号它早该在已封存的块里。",
                "is said not to be sealed yet, but by its number it must have been.",
            )

    def judge_proof(self, row: dict[str, Any], proof: dict[str, Any]) -> None:
        """Check the way from the line to the root of its block, and that root."""
        line = row["line"]
        if self.first_unsealed:
            raise wrong(
                self.first_unsealed,
                f"说还没封存，可后面的第 {line} 行已经封存了。",
                f"is said not to be sealed yet, but line {line} after it is.",
            )
        block = shaped(proof["block"], HEADER, f"line {line}, block")
        tree = climb(leaf_of(row, bytes.fromhex(proof["blind"])), proof["path"])
        if header_hash(block, bytes.fromhex(block["previous_hash"]), tree) != block["root"]:
            raise wrong(
                line,
                f"与第 {block['no']} 块的根值对不上：这一行或它的凭证被改过。",
                f"does not lead to the root of block {block['no']}: something was changed.",
            )
        self.judge_block(line, row["id"], block)

    def judge_block(self, line: int, row_id: int, block: dict[str, Any]) -> None:
        """Check that the block of a line stands in its place and was published."""
        no, newest = block["no"], self.newest
        is_newest = newest is not None and no == newest["no"]
        is_older = newest is not None and self.block_no <= no < newest["no"]
        if row_id > block["up_to"] or not (is_older or is_newest) or no < self.block_no:
            raise wrong(line, f"不可能在第 {no} 块里。", f"cannot be in block {no}.")
        self.block_no = no
        is_known = not is_newest or block["root"] == newest["root"]
        if self.blocks is not None:
            known = self.blocks.get(no, {})
            is_known = is_known and all(known.get(n) == block[n] for n in HEADER_FIELDS)
        if self.roots:
            is_known = is_known and block["root"] in self.roots
        if not is_known:
            zh = f"所在的第 {no} 块，根值不在公布的根值里：{block['root']}"
            en = f"is in block {no}, whose root is not among the published: {block['root']}"
            raise wrong(line, zh, en)


def tell(zh: str, en: str) -> None:
    """Print a sentence in both languages."""
    print(zh)
    print(en)


def tell_line(row: dict[str, Any], block_no: int) -> None:
    """Print one line as the passbook prints it, so that paper can be compared with it."""
    sign = "+" if row["wallet"] == row["target"] else "-"
    sealed = f"第 {block_no} 块 block {block_no}" if block_no else "还未封存 not sealed yet"
    shown = "".join(letter if letter.isprintable() else "?" for letter in row["reason"])
    print(
        f"{row['line']:>6}  {row['recorded_at'][:19]}Z  {sign}{row['points']:<6}"
        f"{row['balance_after']:>8}  {sealed}  {shown}"
    )


def tell_result(statement: dict[str, Any], unsealed: list[int], is_compared: bool) -> None:
    """Say what was proven, and what was not."""
    count, closing = len(statement["lines"]), statement["closing_balance"]
    sealed = count - len(unsealed)
    period = statement["period"] or "1"
    tell(
        f"{period}：共 {count} 行，期末结余 {closing}，行号和结余都接得上。",
        f"{period}: {count} lines, closing balance {closing}; all follow.",
    )
    if not count:
        tell("这一期没有记账，没有可证明的内容。", "No lines: there is nothing to prove.")
    if unsealed:
        tell(
            f"其中 {len(unsealed)} 行（从第 {unsealed[0]} 行起）还没封存，还不能证明；"
            "过几分钟重新下载再核对。",
            f"{len(unsealed)} of them (from line {unsealed[0]} on) are not sealed yet, so not "
            "proven; download the statement again in a few minutes.",
        )
    if sealed and is_compared:
        zh = f"正确：已封存的 {sealed} 行都与公布的根值一致，一个字也没有改过。"
        tell(zh, f"RIGHT: all {sealed} sealed lines lead to published roots, unchanged.")
    elif sealed:
        tell(
            f"文件自身一致（{sealed} 行），但还没有与公布的根值核对：请下载 roots.json，"
            "加上 --roots roots.json 再核对一次。用到的块：",
            f"The file agrees with itself ({sealed} lines), but was NOT compared with "
            "published roots: download roots.json and add --roots roots.json. Its blocks:",
        )
        proofs = [entry["block"] for entry in statement["lines"] if "block" in entry]
        for no, root in sorted({(block["no"], block["root"]) for block in proofs}):
            print(f"{no:>6}  {root}")


def offset_from(text: str) -> timedelta:
    """Return how far the service's local time is ahead of UTC."""
    match = OFFSET.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text} is not written like +08:00")
    ahead = timedelta(hours=int(match.group(2)), minutes=int(match.group(3)))
    return -ahead if match.group(1) == "-" else ahead


def root_from(text: str) -> str:
    """Return a root as it was typed off paper: spaces and capitals are forgiven."""
    root = re.sub(r"\s", "", text).lower()
    if HASH.fullmatch(root) is None:
        raise argparse.ArgumentTypeError("a root has 64 digits from 0 to f")
    return root


def asked(arguments: Optional[list[str]]) -> argparse.Namespace:  # noqa: UP045  # Python 3.9
    """Return what was asked for on the command line."""
    parser = argparse.ArgumentParser(
        description="Check a statement of a points passbook. 核对积分存折的对账单。",
        epilog="0: right 正确; 1: wrong 有误; 2: unreadable 读不了",
    )
    add, several = parser.add_argument, "a published root; may stand several times 公布的根值"
    add("statement", help="a statement (JSON), its PDF, or one proof (JSON) 对账单文件")
    add("--root", type=root_from, action="append", default=[], help=several)
    add("--roots", help="roots.json, with all published blocks 全部根值的文件")
    zone, china = "the service's time zone (default +08:00) 时区", timedelta(hours=8)
    add("--offset", type=offset_from, default=china, help=zone)
    return parser.parse_args(arguments)


def main(arguments: Optional[list[str]] = None) -> int:  # noqa: UP045  # for Python 3.9
    """Check the files that were named; return 0 right, 1 wrong, 2 unreadable."""
    wanted = asked(arguments)
    # A terminal that lacks Chinese characters prints ? instead of stopping.
    sys.stdout.reconfigure(errors="replace")
    unsealed = []
    try:
        blocks = read_roots(wanted.roots) if wanted.roots else None
        statement = read_statement(wanted.statement)
        checker = Checker(statement, set(wanted.root), blocks, wanted.offset)
        for row, block_no in checker.check():
            tell_line(row, block_no)
            if not block_no:
                unsealed.append(row["line"])
    except Found as found:
        zh, en = ("错误", "WRONG") if found.answer == WRONG else ("读不了", "UNREADABLE")
        tell(f"{zh}：{found.zh}", f"{en}: {found.en}")
        return found.answer
    tell_result(statement, unsealed, bool(wanted.root) or blocks is not None)
    return RIGHT


if __name__ == "__main__":
    sys.exit(main())
