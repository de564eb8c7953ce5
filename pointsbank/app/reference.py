"""The pages that describe the JSON API, made from the OpenAPI document of the service."""

from functools import cache
from typing import Any

from flask import Flask, render_template, url_for
from flask.typing import ResponseReturnValue

from pointsbank.core.errors import NotFound
from pointsbank.web.access import anyone
from pointsbank.web.contract import Api

METHODS = ("get", "post", "put", "patch", "delete")
# What a path is spelled with and an element's id is not.
NO_ANCHOR = str.maketrans({"/": "-", "{": None, "}": None})


def install(app: Flask, api: Api) -> None:
    """Add a page with every operation, and one a chapter.

    The document does not change while the service runs, so it is read once.
    """

    @cache
    def chapters() -> list[dict[str, Any]]:
        return chapters_of(api.spec.to_dict())

    @app.get("/api/docs")
    @anyone
    def api_docs() -> ResponseReturnValue:
        return render_template(
            "app/api_docs.html",
            chapters=chapters(),
            document=url_for("api-docs.openapi_json"),
        )

    @app.get("/api/docs/<name>")
    @anyone
    def api_chapter(name: str) -> ResponseReturnValue:
        for chapter in chapters():
            if chapter["name"] == name:
                return render_template("app/api_chapter.html", chapter=chapter)
        raise NotFound


def chapters_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the document's operations under its tags, in the order of the paths."""
    schemas = document.get("components", {}).get("schemas", {})
    about = {tag["name"]: tag.get("description", "") for tag in document.get("tags", [])}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in about}
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method not in item:
                continue
            operation = item[method]
            tag = (operation.get("tags") or [""])[0]
            asked = [*item.get("parameters", []), *operation.get("parameters", [])]
            found.setdefault(tag, []).append(
                operation_of(method, path, operation, asked, schemas)
            )
    return [
        {
            "name": name.removesuffix("_api").replace("_", "-"),
            "about": about.get(name, ""),
            "operations": operations,
        }
        for name, operations in found.items()
        if operations
    ]


def operation_of(
    method: str,
    path: str,
    operation: dict[str, Any],
    asked: list[dict[str, Any]],
    schemas: dict[str, Any],
) -> dict[str, Any]:
    """Return one operation as the page prints it."""
    answers = operation.get("responses", {})
    status = next((code for code in answers if code.startswith("2")), "")
    return {
        "method": method.upper(),
        "path": path,
        "anchor": f"{method}-{path.strip('/').translate(NO_ANCHOR)}",
        "summary": operation.get("summary", ""),
        "more": operation.get("description", ""),
        "parameters": [
            {
                "name": parameter["name"],
                "kind": kind_of(parameter.get("schema", {}), schemas),
                "place": parameter["in"],
                "is_needed": parameter.get("required", False),
            }
            for parameter in asked
            if "name" in parameter
        ],
        "body": fields_of(content_of(operation.get("requestBody", {})), schemas),
        "status": status,
        "answer": fields_of(content_of(answers.get(status, {})), schemas),
    }


def content_of(part: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a request's or an answer's body, whatever its media type."""
    for content in part.get("content", {}).values():
        found: dict[str, Any] = content.get("schema", {})
        return found
    return {}


def resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schema that a reference names, or the schema itself."""
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = schemas.get(name, {}) if name else schema
    return found


def fields_of(schema: dict[str, Any], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the fields of a body with their kinds, empty for no body."""
    whole = resolved(schema, schemas)
    needed = set(whole.get("required", []))
    return [
        {
            "name": name,
            "kind": kind_of(field, schemas),
            "is_needed": name in needed,
            "about": field.get("description", ""),
        }
        for name, field in whole.get("properties", {}).items()
    ]


def kind_of(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Write what a field holds: integer, string (date-time), one of a, b, list of {…}."""
    if "$ref" in schema:
        return "{" + ", ".join(resolved(schema, schemas).get("properties", {})) + "}"
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    kind = schema.get("type", "")
    if isinstance(kind, list):
        kind = " or ".join(kind)
    if kind.startswith("array"):
        return f"[{kind_of(schema.get('items', {}), schemas)}]"
    return f"{kind} ({schema['format']})" if "format" in schema else kind or "any"
