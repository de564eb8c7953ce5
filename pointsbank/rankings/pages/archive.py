"""The page that hands out a branch's year as one ZIP file, with the digest of each part."""

import hashlib
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import date
from typing import IO

from flask import Blueprint, render_template, request, send_file
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.audit import note
from pointsbank.core.calendar import Period, local_day, read_period
from pointsbank.core.db import reading, transaction
from pointsbank.core.sheets import write_sheet
from pointsbank.organizations.queries import (
    OrganizationNode,
    organization_by_code,
    organizations_within,
)
from pointsbank.rankings.archive_words import sheets_of
from pointsbank.rankings.pages.scoping import PLACES_MAX
from pointsbank.rankings.reports_errors import NotAYear
from pointsbank.rankings.reports_schemas import CODE_LENGTH_MAX
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.forms import settings, typed

pages = Blueprint("archive_pages", __name__)

# It holds full names, reasons and document numbers: only who keeps the branch's files.
KEEPERS = ("secretary", "administrator")
ARCHIVE_KINDS = ("branch", "general_branch", "party_group", "community", "work_unit")
YEARS_OFFERED = 5
YEAR_LENGTH = 4
CHUNK = 1 << 16
# Read by "sha256sum --check".
MANIFEST = "SHA256SUMS"
# Beyond this a part waits on the disk instead of in memory.
IN_MEMORY_MAX = 1 << 20


@pages.get("/reports/archive")
@roles_only(*KEEPERS)
def ask() -> ResponseReturnValue:
    """Ask which year of which organization is wanted."""
    today = local_day(clock.now(), settings().zone)
    with reading() as session:
        places = organizations_within(
            session, current_actor().paths(*KEEPERS), kinds=ARCHIVE_KINDS, limit=PLACES_MAX
        )
    branches = [each.code for each in places if each.kind == "branch"]
    return render_template(
        "rankings/archive.html",
        years=years_offered(today),
        places=[(each.code, each.name) for each in places],
        code=next(iter(branches), ""),
    )


def years_offered(today: date) -> list[tuple[str, str]]:
    """Return the years to choose from, the running one first."""
    years = [str(today.year - back) for back in range(YEARS_OFFERED)]
    return [(year, year) for year in years]


@pages.post("/reports/archive.zip")
@roles_only(*KEEPERS)
def hand_out() -> ResponseReturnValue:
    """Hand a branch's year out, and keep that it was before the file leaves."""
    actor, now = current_actor(), clock.now()
    year = asked_year()
    code = request.form.get("organization_code", "")[:CODE_LENGTH_MAX]
    with reading() as session:
        place = organization_by_code(session, code, actor.paths(*KEEPERS))
        # Made only for those who may have it: nothing would close it after a refusal.
        file = tempfile.TemporaryFile()  # noqa: SIM115 - sent after the view returns, closed then
        digest = write_archive(file, session, place, year, actor.member_id)
    with transaction() as session:
        note(
            session,
            at=now,
            actor_id=actor.member_id,
            action="export_archive",
            subject=("organization", place.id),
            year=year.name,
            manifest=digest,
        )
    file.seek(0)
    return send_file(
        file,
        mimetype="application/zip",
        as_attachment=True,
        download_name=f"archive-{place.code}-{year.name}.zip",
    )


def asked_year() -> Period:
    """Return the year that a form asks for.

    Raises NotAYear.
    """
    name = typed("year", YEAR_LENGTH + 1)
    if len(name) != YEAR_LENGTH or not name.isascii() or not name.startswith("20"):
        raise NotAYear
    if not name.isdigit():
        raise NotAYear
    return read_period(name)


def write_archive(
    file: IO[bytes], session: Session, place: OrganizationNode, year: Period, reader_id: int
) -> str:
    """Write the ZIP of a year for its reader; return its manifest's SHA-256 in hexadecimal.

    One part at a time is made and packed in pieces, so that memory does not grow with the year.
    """
    lines = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, digest in packed_parts(packed, session, place, year, reader_id):
            lines.append(f"{digest}  {name}\n")
        manifest = "".join(lines).encode()
        packed.writestr(MANIFEST, manifest)
    return hashlib.sha256(manifest).hexdigest()


def packed_parts(
    packed: zipfile.ZipFile,
    session: Session,
    place: OrganizationNode,
    year: Period,
    reader_id: int,
) -> Iterator[tuple[str, str]]:
    """Pack each part, and yield its name with the SHA-256 of its bytes."""
    parts = sheets_of(
        session,
        place_id=place.id,
        place=place.name,
        year=year,
        reader_id=reader_id,
        zone=settings().zone,
    )
    for name, sheet in parts:
        inside = f"{place.code}-{year.name}-{name}.xlsx"
        with tempfile.SpooledTemporaryFile(IN_MEMORY_MAX) as part:
            write_sheet(part, sheet)
            part.seek(0)
            digest = hashlib.sha256()
            with packed.open(inside, "w") as entry:
                while piece := part.read(CHUNK):
                    digest.update(piece)
                    entry.write(piece)
        yield inside, digest.hexdigest()
