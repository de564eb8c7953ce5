"""The pages that describe the API tell what the OpenAPI document tells."""

import re

import pytest

WEIGHT_MAX = 150_000


@pytest.fixture
def chapters(client):
    """The page of each chapter, by its address."""
    found = re.findall(r'href="(/api/docs/[a-z-]+)#', client.get("/api/docs").text)
    return {address: client.get(address) for address in dict.fromkeys(found)}


def operations(client):
    """Return each method and path of the document."""
    return [
        (method.upper(), path)
        for path, item in client.get("/api/openapi.json").json["paths"].items()
        for method in item
        if method in ("get", "post", "put", "patch", "delete")
    ]


def test_every_operation_of_the_document_stands_on_the_page(client):
    page = client.get("/api/docs").text
    assert len(operations(client)) > 20
    for method, path in operations(client):
        assert f'<b class="num">{method}</b> <code>{path}</code>' in page


def test_each_link_leads_to_its_operation(client, chapters):
    links = re.findall(
        r'href="(/api/docs/[a-z-]+)#([^"]+)"><b class="num">(\w+)</b> <code>([^<]+)',
        client.get("/api/docs").text,
    )
    assert len(links) == len(operations(client))
    for address, anchor, method, path in links:
        section = chapters[address].text.split(f'id="{anchor}"')[1].split("</section>")[0]
        assert f'<b class="num">{method}</b> <code>{path}</code>' in section
    assert len({link[:2] for link in links}) == len(links)


def test_fields_are_listed_with_what_they_hold(client):
    page = client.get("/api/docs/rankings").text
    operation = page[page.index("<code>/api/v1/rankings</code>") :].split("</section>")[0]
    assert "<code>organization_code</code>" in operation
    assert "members | branches" in operation
    assert "<code>as_of</code>" in operation


def test_the_pages_load_nothing_from_elsewhere_and_are_light(client, chapters):
    assert len(chapters) > 20
    for address, answer in {"/api/docs": client.get("/api/docs"), **chapters}.items():
        assert "http://" not in answer.text.replace("http://www.w3.org", ""), address
        assert "https://" not in answer.text, address
        assert len(answer.data) < WEIGHT_MAX, address


def test_there_is_no_chapter_of_another_name(client):
    assert client.get("/api/docs/nothing").status_code == 404
