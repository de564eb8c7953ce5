"""The JSON contract: the OpenAPI document, blueprints, strict fields and paging."""

import base64
import binascii
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, Request, Response
from flask.typing import ResponseReturnValue
from flask_smorest import Api as SmorestApi
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import RAISE, Schema, ValidationError, fields, validate
from webargs.flaskparser import FlaskParser
from werkzeug.routing import BaseConverter, IntegerConverter, Map

from pointsbank.core.errors import Invalid
from pointsbank.core.text import cleaned, cleaned_lines
from pointsbank.web.access import View, anyone

ID_MAX = 2**63 - 1
PAGE_LIMIT = 50
PAGE_LIMIT_MAX = 200
QUERY_DIGITS_MAX = 19


class BadCursor(Invalid):
    """A cursor comes from the answer before; nobody else makes one."""

    code = "bad_cursor"
    message = "This page marker is not one of ours."


class IdConverter(IntegerConverter):
    """A row's id in a path; a number no row can have is an unknown address, not a fault."""

    def __init__(self, map: Map) -> None:
        """Bound the number to what both engines can hold."""
        super().__init__(map, min=1, max=ID_MAX)


class MonthConverter(BaseConverter):
    """A local month in a path, 2026-11; what is none is an unknown address."""

    regex = r"20\d\d-(?:0[1-9]|1[0-2])"


class Api(SmorestApi):  # type: ignore[misc]  # the library has no types
    """Flask-smorest with our own form of errors."""

    def _register_error_handlers(self) -> None:
        """Leave errors to web.errors."""


class Parser(FlaskParser):
    """The parser of bodies; what trips Python's own JSON reader is malformed like the rest."""

    def _raw_load_json(self, req: Request) -> Any:
        try:
            value = super()._raw_load_json(req)
            # Half a surrogate pair is no text: it could neither be stored nor sent back.
            json.dumps(value, ensure_ascii=False, default=str).encode()
        except (ValueError, RecursionError) as error:
            if isinstance(error, json.JSONDecodeError):
                raise
            raise json.JSONDecodeError("unreadable", "", 0) from error
        return value


class Blueprint(SmorestBlueprint):  # type: ignore[misc]  # the library has no types
    """A JSON door; paging is ours, so smorest's header stays away."""

    PAGINATION_HEADER_NAME = None
    ARGUMENTS_PARSER = Parser()

    if TYPE_CHECKING:
        # The library's decorators have no types; each hands the view on as it is.
        def get(self, rule: str, **options: Any) -> Callable[[View], View]: ...
        def post(self, rule: str, **options: Any) -> Callable[[View], View]: ...
        def put(self, rule: str, **options: Any) -> Callable[[View], View]: ...
        def patch(self, rule: str, **options: Any) -> Callable[[View], View]: ...
        def delete(self, rule: str, **options: Any) -> Callable[[View], View]: ...
        def arguments(self, schema: type[Schema], **options: Any) -> Callable[[View], View]: ...
        def response(
            self, status_code: int, schema: type[Schema] | None = None, **options: Any
        ) -> Callable[[View], View]: ...
        def doc(self, **values: Any) -> Callable[[View], View]: ...


class Body(Schema):
    """A request body: a field we do not know is the caller's mistake, and is said so."""

    class Meta:
        """Refuse unknown fields."""

        unknown = RAISE


class Text(fields.String):
    """Text as a person types it: NFC, no control or invisible characters, one line, bounded."""

    def __init__(
        self, *, length_max: int, length_min: int = 1, lines: bool = False, **more: Any
    ) -> None:
        """Bound the cleaned text, so that a name of spaces alone is refused."""
        self.clean = cleaned_lines if lines else cleaned
        self.lines = lines
        super().__init__(validate=validate.Length(min=length_min, max=length_max), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        text = super()._deserialize(value, attr, data, **more)
        return self.clean(text)


class Whole(fields.Integer):
    """A whole number, strictly: 1.9, "7" and full-width digits are refused, not bent."""

    def __init__(self, *, least: int, most: int, **more: Any) -> None:
        """Bound the number on both sides."""
        super().__init__(strict=True, validate=validate.Range(min=least, max=most), **more)

    def _validated(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError(self.error_messages["invalid"])
        return value


class RowId(Whole):
    """The id of a row in a body."""

    def __init__(self, **more: Any) -> None:
        """Bound the id to what both engines can hold."""
        super().__init__(least=1, most=ID_MAX, **more)


class When(fields.AwareDateTime):
    """An RFC 3339 moment; one without an offset is refused, because nobody knows when it is."""

    def __init__(self, **more: Any) -> None:
        """Take ISO format with an offset only."""
        super().__init__(format="iso", **more)


class QueryWhole(Whole):
    """A whole number in a query: ASCII digits, without the spellings that int() forgives."""

    def _validated(self, value: Any) -> int:
        if not isinstance(value, str) or not value.isascii() or not value.isdigit():
            raise ValidationError(self.error_messages["invalid"])
        if len(value) > QUERY_DIGITS_MAX:
            raise ValidationError(self.error_messages["too_large"])
        return int(value)


class PageQuery(Body):
    """What every list takes."""

    cursor = fields.String(validate=validate.Length(max=200))
    limit = QueryWhole(load_default=PAGE_LIMIT, least=1, most=PAGE_LIMIT_MAX)


def cursor_from(*position: int | str) -> str:
    """Write where the next page begins, opaque to the caller."""
    text = ":".join(str(part) for part in ("v1", *position))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def position_from(cursor: str | None) -> int | None:
    """Read where the next page begins, in a list that is ordered by one number.

    Raises BadCursor.
    """
    position = positions_from(cursor, 1)
    return position[0] if position else None


def positions_from(cursor: str | None, count: int) -> tuple[int, ...] | None:
    """Read where the next page begins, in a list that is ordered by so many numbers.

    Raises BadCursor.
    """
    if not cursor:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (ValueError, binascii.Error) as error:
        raise BadCursor from error
    version, *parts = text.split(":")
    if version != "v1" or len(parts) != count:
        raise BadCursor
    if not all(part.isdigit() and len(part) <= QUERY_DIGITS_MAX for part in parts):
        raise BadCursor
    if any(int(part) > ID_MAX for part in parts):
        raise BadCursor
    return tuple(int(part) for part in parts)


def install(app: Flask) -> Api:
    """Set the OpenAPI document up; rooms register their blueprints on what is returned."""
    app.url_map.converters["id"] = IdConverter
    app.url_map.converters["month"] = MonthConverter
    app.config.update(
        API_TITLE="Pointsbank",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = Api(
        app,
        spec_kwargs={
            "info": {"description": "Claims, scans, the points ledger, redemption, rankings."},
            "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
            "security": [{"token": []}],
        },
    )
    describe = app.view_functions["api-docs.openapi_json"]

    @anyone
    def openapi_json() -> ResponseReturnValue:
        return cast(ResponseReturnValue, describe())

    app.view_functions["api-docs.openapi_json"] = openapi_json

    @app.after_request
    def say_nothing(response: Response) -> Response:
        if response.status_code == HTTPStatus.NO_CONTENT:
            # No body, so no kind of content: a client that reads it as JSON would stumble.
            response.headers.pop("Content-Type", None)
        return response

    api.register_converter(IdConverter, lambda _: {"type": "integer", "minimum": 1})
    return api
