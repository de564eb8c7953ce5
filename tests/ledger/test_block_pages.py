"""Everyone sees the roots and counts of blocks, and nobody sees more."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from pointsbank.ledger.models import Block
from pointsbank.ledger.sealing import seal
from tests.builders import a_member, points_for
from tests.laws.tree import ROOT
from tests.moments import NOON
from tests.tools.paper import judge, load_tool

MINUTE = timedelta(minutes=1)
API = "/api/v1/ledger/blocks"
tool = load_tool()


@pytest.fixture
def three_blocks(writing):
    """Three blocks, of one line, of two, and of three."""
    with writing() as session:
        member = a_member(session)
        for no in (1, 2, 3):
            for place in range(no):
                points_for(session, member, 5, f"award:{no}{place}", NOON)
            seal(session, now=NOON + no * MINUTE, salt=bytes([no]) * 32)
    return writing


def test_roots_and_counts_are_for_everyone(three_blocks, client):
    found = client.get(API).json
    assert found["next"] is None
    assert [(item["no"], item["count"], item["total"]) for item in found["items"]] == [
        (3, 3, 6),
        (2, 2, 3),
        (1, 1, 1),
    ]
    newest, middle, _ = found["items"]
    assert newest["previous_hash"] == middle["root"]
    assert client.get(f"{API}/2").json == middle
    assert sorted(newest) == [
        "count",
        "no",
        "previous_hash",
        "root",
        "sealed_at",
        "total",
        "tree",
        "up_to",
    ]


def test_neither_salt_nor_leaf_is_told(three_blocks, client):
    with three_blocks() as session:
        secrets = [
            part.hex()
            for salt, joined in session.execute(select(Block.salt, Block.leaves))
            for part in (bytes(salt), bytes(joined)[:32], bytes(joined)[-32:])
        ]
        # The one leaf of the first block is its tree.
        secrets = [secret for secret in secrets if secret != secrets[1]]
    told = "".join(
        client.get(path).text
        for path in (
            API,
            f"{API}/3",
            "/ledger/blocks",
            "/ledger/blocks/3",
            "/ledger/roots.json",
        )
    ).replace(" ", "")
    assert len(secrets) == 7
    assert not [secret for secret in secrets if secret in told]


def test_blocks_are_read_page_by_page(three_blocks, client):
    seen, cursor = [], None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = client.get(API, query_string=query).json
        seen += [item["no"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [3, 2, 1]


def test_an_unknown_block_is_not_found(three_blocks, client):
    assert client.get(f"{API}/4").json["code"] == "block_not_found"
    assert client.get(f"{API}/4").status_code == 404
    assert client.get("/ledger/blocks/4").status_code == 404
    assert client.get(f"{API}/{2**63}").status_code == 404


def test_the_page_of_a_block_shows_its_root(three_blocks, client):
    root = client.get(f"{API}/2").json["root"]
    page = client.get("/ledger/blocks/2").text
    assert root in page.replace(" ", "")
    assert "第 2 块" in page
    assert 'href="/ledger/blocks/1"' in page
    assert 'href="/ledger/blocks/3"' in page
    assert "怎样核对对账单" in page


def test_the_list_explains_and_leads_to_the_files(three_blocks, client):
    page = client.get("/ledger/blocks").text
    assert page.index("什么是根值") < page.index("第 3 块") < page.index("第 1 块")
    assert 'href="/ledger/roots.json"' in page
    assert 'href="/ledger/verify_statement.py"' in page


def test_a_long_list_goes_on(writing, client, monkeypatch):
    monkeypatch.setattr("pointsbank.ledger.pages.BLOCKS_A_PAGE", 2)
    with writing() as session:
        member = a_member(session)
        for no in (1, 2, 3):
            points_for(session, member, 5, f"award:{no}", NOON)
            seal(session, now=NOON, salt=bytes(32))
    first = client.get("/ledger/blocks").text
    assert "第 1 块" not in first
    rest = client.get(first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]).text
    assert "第 1 块" in rest
    assert "第 3 块" not in rest
    assert "什么是根值" not in rest


def test_before_the_first_block_the_page_says_so(client, app):
    assert "还没有封存过" in client.get("/ledger/blocks").text
    assert json.loads(client.get("/ledger/roots.json").text)["blocks"] == []


def test_all_roots_are_one_file_that_the_tool_believes(three_blocks, client, tmp_path):
    answer = client.get("/ledger/roots.json")
    assert answer.content_type == "application/json"
    assert "roots.json" in answer.headers["Content-Disposition"]
    (tmp_path / "roots.json").write_bytes(answer.get_data())
    blocks = tool.read_roots(str(tmp_path / "roots.json"))
    assert sorted(blocks) == [1, 2, 3]
    assert blocks[3]["root"] == client.get(f"{API}/3").json["root"]


def test_the_file_is_sent_in_batches_without_a_seam(three_blocks, client, monkeypatch):
    whole = client.get("/ledger/roots.json").text
    monkeypatch.setattr("pointsbank.ledger.pages.BATCH", 2)
    assert client.get("/ledger/roots.json").text == whole


def test_the_file_may_be_kept_until_a_block_comes(three_blocks, client):
    first = client.get("/ledger/roots.json")
    assert first.headers["Cache-Control"] == "public, max-age=60"
    asked = {"If-None-Match": first.headers["ETag"]}
    again = client.get("/ledger/roots.json", headers=asked)
    assert (again.status_code, again.get_data()) == (304, b"")
    with three_blocks() as session:
        points_for(session, a_member(session), 5, "award:9", NOON)
        seal(session, now=NOON, salt=bytes(32))
    assert client.get("/ledger/roots.json", headers=asked).status_code == 200
    assert client.get("/ledger/blocks").headers["Cache-Control"] == "no-store"


def test_the_tool_is_had_here(client, tmp_path):
    answer = client.get("/ledger/verify_statement.py")
    assert answer.get_data() == (ROOT / "tools" / "verify_statement.py").read_bytes()
    assert "attachment" in answer.headers["Content-Disposition"]
    answer.close()


def test_a_forged_block_in_the_list_is_found(three_blocks, client, tmp_path):
    roots = client.get("/ledger/roots.json").json
    forged = json.loads(json.dumps(roots))
    forged["blocks"][1]["count"] += 1
    forged["blocks"][1]["total"] += 1
    proof = {"format": "pointsbank-proof/1"}
    answer, told = judge(tool, tmp_path, proof, forged)
    assert answer == 1
    assert "Block 2 of the roots" in told
