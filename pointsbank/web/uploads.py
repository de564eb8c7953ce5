"""Files that people upload to be imported, and the report of what became of them."""

from collections.abc import Callable
from typing import Any

from flask import request
from flask_babel import gettext
from flask_smorest.fields import Upload
from marshmallow import Schema, fields

from pointsbank.core.errors import Invalid
from pointsbank.core.tables import BadTable, Problem, Report, Table
from pointsbank.web.contract import Body
from pointsbank.web.errors import sentence_of

IMPORT_BYTES_MAX = 16_000_000


class FileMissing(Invalid):
    """An import needs its file."""

    code = "file_missing"
    message = "Please choose a file."


class ImportFile(Body):
    """The multipart form of an import."""

    file = Upload(required=True)


class ImportQuery(Body):
    """How an import is done: a dry run only tells what would be."""

    dry_run = fields.Boolean(load_default=False)


class ProblemOut(Schema):
    """Why a row was not taken."""

    row = fields.Integer(allow_none=True)
    column = fields.String(allow_none=True)
    problem = fields.String()


class ReportOut(Schema):
    """What an import did; with anything rejected it did nothing."""

    created = fields.Integer()
    updated = fields.Integer()
    unchanged = fields.Integer()
    rejected = fields.List(fields.Nested(ProblemOut))


def read_upload(
    read: Callable[[bytes, str], tuple[Table, list[Problem]]],
) -> tuple[Table, list[Problem]]:
    """Read the uploaded file with a room's reader.

    Raises FileMissing, and BadTable with a report of its own among its facts.
    """
    file = request.files.get("file")
    if file is None or not file.filename:
        raise FileMissing
    try:
        return read(file.read(), file.filename)
    except BadTable as bad:
        problem = {
            "row": bad.facts.get("row"),
            "column": None,
            "problem": sentence_of(bad),
        }
        bad.facts.update(created=0, updated=0, unchanged=0, rejected=[problem])
        raise


def report_out(report: Report) -> dict[str, Any]:
    """Return a report with its problems in the language of this request."""
    return {
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "rejected": [
            {
                "row": problem.row,
                "column": problem.column,
                "problem": str(gettext(problem.sentence, **problem.facts)),
            }
            for problem in report.rejected
        ],
    }
