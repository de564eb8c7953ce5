"""The JSON door of standards: versions, drafts, files, publishing by a second person."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.scoring.drafting import (
    change_draft,
    discard_draft,
    draft_standard,
    export_standard,
    publish_draft,
)
from pointsbank.scoring.errors import BadStandard
from pointsbank.scoring.files import FILE_BYTES_MAX, read_file, shipped_names
from pointsbank.scoring.models import STANDARD_STATES
from pointsbank.scoring.standards import (
    KEEPER,
    check_keeper,
    content_of,
    standard_line,
    standards_of,
)
from pointsbank.scoring.standards_schemas import (
    ChangedDraft,
    NewDraft,
    Publication,
    StandardContentOut,
    StandardPublished,
    StandardsOut,
    full_out,
    in_words,
    line_out,
)
from pointsbank.scoring.starting import beginning
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from
from pointsbank.web.forms import settings
from pointsbank.web.uploads import FileMissing, ImportFile

api = Blueprint("standards_api", __name__, description="Versions and drafts of the standard.")

YAML_TYPE = "application/yaml"
T = TypeVar("T")


def judged_run(act: Callable[[Session], T]) -> T:
    """Carry out a write; what is wrong with a standard is said in the request's language."""
    try:
        return run(act)
    except BadStandard as bad:
        bad.facts["problems"] = in_words(bad.facts["problems"])
        raise


def uploaded() -> Any:
    """Return the content of the uploaded file, still to be judged.

    Raises FileMissing, BadStandardFile.
    """
    file = request.files.get("file")
    if file is None or not file.filename:
        raise FileMissing
    return read_file(file.read(FILE_BYTES_MAX + 1))


def file_of(data: bytes, name: str) -> Response:
    """Return a YAML file to be kept, never to be shown in the browser."""
    response = Response(data, mimetype=YAML_TYPE)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def shown(session: Session, standard_id: int) -> dict[str, Any]:
    """Return a version or draft with its content."""
    return full_out(standard_line(session, standard_id), content_of(session, standard_id))


@api.get("/scoring/standards")
@api.arguments(PageQuery, location="query")
@api.response(200, StandardsOut)
@roles_only(KEEPER)
def list_standards(query: dict[str, Any]) -> dict[str, Any]:
    """List versions and drafts, the newest first."""
    limit = query["limit"]
    with reading() as session:
        check_keeper(session, current_actor())
        found = standards_of(
            session,
            STANDARD_STATES,
            before_id=position_from(query.get("cursor")),
            limit=limit + 1,
        )
    return {
        "items": [line_out(each) for each in found[:limit]],
        "shipped": list(shipped_names()),
        "next": cursor_from(found[limit - 1].id) if len(found) > limit else None,
    }


@api.post("/scoring/standards")
@api.arguments(NewDraft)
@api.response(201, StandardContentOut)
@roles_only(KEEPER)
def draft(body: dict[str, Any]) -> dict[str, Any]:
    """Make a draft from a content, from the version in force, or from a shipped one."""
    actor, now = current_actor(), clock.now()
    today = local_day(now, settings().zone)

    def act(session: Session) -> dict[str, Any]:
        check_keeper(session, actor)
        plain = body.get("content")
        if plain is None:
            plain = beginning(session, body["source"], today=today)
        standard_id = draft_standard(session, actor=actor, plain=plain, today=today, now=now)
        return shown(session, standard_id)

    return judged_run(act)


@api.post("/scoring/standards/import")
@api.arguments(ImportFile, location="files")
@api.response(201, StandardContentOut)
@roles_only(KEEPER)
def import_standard(_file: dict[str, Any]) -> dict[str, Any]:
    """Make a draft from a YAML file."""
    actor, now = current_actor(), clock.now()
    today = local_day(now, settings().zone)

    def act(session: Session) -> dict[str, Any]:
        check_keeper(session, actor)
        plain = uploaded()
        standard_id = draft_standard(session, actor=actor, plain=plain, today=today, now=now)
        return shown(session, standard_id)

    return judged_run(act)


@api.get("/scoring/standards/<id:standard_id>")
@api.response(200, StandardContentOut)
@roles_only(KEEPER)
def show_one(standard_id: int) -> dict[str, Any]:
    """Answer a version or draft with all it says."""
    with reading() as session:
        check_keeper(session, current_actor())
        return shown(session, standard_id)


@api.put("/scoring/standards/<id:standard_id>")
@api.arguments(ChangedDraft)
@api.response(200, StandardContentOut)
@roles_only(KEEPER)
def change(body: dict[str, Any], standard_id: int) -> dict[str, Any]:
    """Let a draft say this instead."""
    actor, now = current_actor(), clock.now()

    def act(session: Session) -> dict[str, Any]:
        change_draft(
            session,
            standard_id=standard_id,
            actor=actor,
            plain=body["content"],
            seen_digest=body["digest"],
            now=now,
        )
        return shown(session, standard_id)

    return judged_run(act)


@api.delete("/scoring/standards/<id:standard_id>")
@api.response(204)
@roles_only(KEEPER)
def discard(standard_id: int) -> None:
    """Put a draft away."""
    actor, now = current_actor(), clock.now()
    run(lambda session: discard_draft(session, standard_id=standard_id, actor=actor, now=now))


@api.post("/scoring/standards/<id:standard_id>/publication")
@api.arguments(Publication)
@api.response(200, StandardPublished)
@roles_only(KEEPER)
def publish(body: dict[str, Any], standard_id: int) -> dict[str, Any]:
    """Let a draft that somebody else wrote be the rules from a day on."""
    actor, now = current_actor(), clock.now()
    version = judged_run(
        lambda session: publish_draft(
            session,
            standard_id=standard_id,
            actor=actor,
            valid_from=body["valid_from"],
            seen_digest=body["digest"],
            today=local_day(now, settings().zone),
            now=now,
        )
    )
    return {"id": standard_id, "version": version}


@api.post("/scoring/standards/<id:standard_id>/file")
@api.alt_response(200, description="The standard as a file.", content_type=YAML_TYPE)  # type: ignore[untyped-decorator]
@roles_only(KEEPER)
def export(standard_id: int) -> ResponseReturnValue:
    """Hand a version or draft out as YAML; the trail keeps who took it."""
    actor, now = current_actor(), clock.now()
    return file_of(
        *run(
            lambda session: export_standard(
                session, standard_id=standard_id, actor=actor, now=now
            )
        )
    )
