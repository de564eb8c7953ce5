"""The page that describes the API tells what the OpenAPI document tells."""


def test_every_operation_of_the_document_stands_on_the_page(client):
    document = client.get("/api/openapi.json").json
    page = client.get("/api/docs").text
    operations = [
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method in item
        if method in ("get", "post", "put", "patch", "delete")
    ]
    assert len(operations) > 20
    for method, path in operations:
        assert f'<b class="num">{method}</b> <code>{path}</code>' in page


def test_fields_are_listed_with_what_they_hold(client):
    page = client.get("/api/docs").text
    chapter = page[page.index("<code>/api/v1/rankings</code>") :].split("</details>")[0]
    assert "<code>organization_code</code>" in chapter
    assert "members | branches" in chapter
    assert "<code>as_of</code>" in chapter


def test_the_page_loads_nothing_from_elsewhere_and_is_light(client):
    answer = client.get("/api/docs")
    assert "http://" not in answer.text.replace("http://www.w3.org", "")
    assert "https://" not in answer.text
    assert len(answer.data) < 150_000
