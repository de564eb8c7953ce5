"""The JSON door of the tree and of the merchants."""

import io
import zipfile

import openpyxl
import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from pointsbank.organizations.models import Merchant, Organization
from tests.builders import a_member, an_organization, how_many, signed_in, with_role

HEADER = "code,name,kind,parent_code\n"


@pytest.fixture
def administrator(app, writing):
    with writing() as session:
        member_id = with_role(session, a_member(session), "administrator")
    return signed_in(app, member_id)


def send(client, headers, content, name="tree.csv", query=""):
    data = content if isinstance(content, bytes) else content.encode()
    # Encoded here, because the test client leaves the temporary file of a large form open.
    boundary, body = encode_multipart({"file": FileStorage(io.BytesIO(data), name)})
    return client.post(
        f"/api/v1/organizations/import{query}",
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
        headers=headers,
    )


def count(writing, model=Organization):
    with writing() as session:
        return how_many(session, model)


def test_a_file_is_imported_once_and_judged_without_a_trace(client, administrator, writing):
    before = count(writing)
    text = HEADER + "a,甲,区,\nb,乙,街道,a\n"
    dry = send(client, administrator, text, query="?dry_run=true")
    assert (dry.status_code, dry.json["created"]) == (200, 2)
    assert count(writing) == before
    done = send(client, administrator, text)
    assert done.json == {"created": 2, "updated": 0, "unchanged": 0, "rejected": []}
    assert count(writing) == before + 2
    assert send(client, administrator, text).json["unchanged"] == 2


def test_problems_are_told_in_the_askers_language(client, administrator, writing):
    before = count(writing)
    text = HEADER + "a,甲,区,x\nb,乙,星系,\n"
    answer = send(client, {**administrator, "Accept-Language": "zh"}, text)
    assert answer.status_code == 200
    assert answer.json["rejected"] == [
        {"row": 3, "column": "kind", "problem": "没有这个类型。"}
    ]
    english = send(client, {**administrator, "Accept-Language": "en"}, HEADER + "a,甲,区,x\n")
    assert english.json["rejected"] == [
        {
            "row": 2,
            "column": "parent_code",
            "problem": "There is no organization with this code.",
        }
    ]
    assert count(writing) == before


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "tree.csv"),
        (b"code,name,kind,parent_code\na,\xff\xff\xff,x,\n", "tree.csv"),
        (b"%PDF-1.7 \x00", "tree.csv"),
        (b"MZ", "tree.exe"),
        (b"PK\x03\x04broken", "tree.xlsx"),
    ],
)
def test_what_is_no_table_is_refused_with_a_report(
    client, administrator, writing, content, name
):
    before = count(writing)
    answer = send(client, administrator, content, name)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == "bad_table"
    assert answer.json["created"] == 0
    assert answer.json["rejected"][0]["problem"] == answer.json["detail"]
    assert count(writing) == before


def test_a_bomb_is_too_large(client, administrator):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 200_000_000)
    answer = send(client, administrator, packed.getvalue(), "tree.xlsx")
    assert (answer.status_code, answer.json["code"]) == (413, "table_too_large")


def test_a_form_without_a_file_is_refused(client, administrator):
    answer = client.post("/api/v1/organizations/import", data={}, headers=administrator)
    assert answer.status_code == 422
    nameless = client.post(
        "/api/v1/organizations/import",
        data={"file": (io.BytesIO(b"x"), "")},
        headers=administrator,
    )
    assert nameless.status_code in (400, 422)


def test_an_import_may_be_larger_than_other_bodies_but_not_endless(
    client, administrator, writing
):
    large = HEADER + "".join(f"c{n},{'长' * 100},社区,\n" for n in range(5000))
    assert len(large.encode()) > 1_500_000
    assert send(client, administrator, large).json["created"] == 5000
    answer = send(client, administrator, b"x" * 16_100_000)
    assert (answer.status_code, answer.json["code"]) == (413, "request_entity_too_large")
    with writing() as session:
        plain = a_member(session)
    stranger = signed_in(client.application, plain)
    assert send(client, stranger, large).status_code == 403
    other = client.post("/api/v1/merchants", json="x" * 1_100_000, headers=administrator)
    assert other.status_code == 413


def test_an_administrator_of_a_street_stays_within_it(app, client, writing):
    with writing() as session:
        top = an_organization(session, "a", "district")
        street = an_organization(session, "b", "street", parent=top)
        an_organization(session, "c", "street", parent=top)
        member_id = with_role(
            session, a_member(session, organization_id=street), "administrator", street
        )
    headers = signed_in(app, member_id)
    assert send(client, headers, HEADER + "n,新,社区,b\n").json["created"] == 1
    assert send(client, headers, HEADER + "m,新,社区,c\n").json["created"] == 0
    assert send(client, headers, HEADER + "m,新,社区,c\n").json["rejected"] != []
    shop = {"name": "店", "organization_code": "c", "kind": "shop"}
    answer = client.post("/api/v1/merchants", json=shop, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (404, "organization_not_found")
    mine = client.post(
        "/api/v1/merchants", json={**shop, "organization_code": "n"}, headers=headers
    )
    assert mine.status_code == 201
    assert count(writing, Merchant) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "\u202e \u200b"},
        {"name": "长" * 121},
        {"kind": "bank"},
        {"points": 5},
        {"organization_code": None},
        {"name": 7},
    ],
)
def test_a_bad_merchant_is_refused_by_field(client, administrator, writing, changes):
    body = {"name": "店", "organization_code": "140303001002", "kind": "shop", **changes}
    answer = client.post("/api/v1/merchants", json=body, headers=administrator)
    assert answer.status_code == 422
    assert set(changes) <= set(answer.json["errors"])
    assert count(writing, Merchant) == 0


def test_organizations_are_listed_page_by_page(client, administrator):
    send(client, administrator, HEADER + "".join(f"c{n:02},丙,社区,\n" for n in range(7)))
    codes, cursor = [], ""
    while cursor is not None:
        answer = client.get(
            f"/api/v1/organizations?limit=3&cursor={cursor}", headers=administrator
        ).json
        codes += [item["code"] for item in answer["items"]]
        cursor = answer["next"]
    assert codes == ["140303001002", *(f"c{n:02}" for n in range(7))]
    under = client.get("/api/v1/organizations?under=c03", headers=administrator).json
    assert [item["code"] for item in under["items"]] == ["c03"]
    unknown = client.get("/api/v1/organizations?under=zz", headers=administrator)
    assert unknown.status_code == 404


def test_a_workbook_with_chinese_headings_is_taken(client, administrator):
    book = openpyxl.Workbook()
    for row in (["编码", "名称", "类型", "上级编码"], ["a", "甲", "区", None]):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    assert send(client, administrator, content.getvalue(), "t.xlsx").json["created"] == 1
