"""The secretary's reports as programs and spreadsheets see them."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from flask_babel import gettext
from marshmallow import Schema, fields, validate

from pointsbank.core.calendar import Period
from pointsbank.core.sheets import Cell, Sheet
from pointsbank.rankings.partaking import Entered, Gaps, PlacePart
from pointsbank.rankings.quarter_tables import QuarterTable
from pointsbank.rankings.unit_sheets import AIM_MINUTES, AIM_TIMES, UnitLine, UnitSheet
from pointsbank.web.contract import Body, Text
from pointsbank.web.formats import full_day, hours

CODE_LENGTH_MAX = 32
PERIOD_LENGTH_MAX = 24


class UnitSheetQuery(Body):
    """Which unit's sheet is asked for, and of which quarter; the running one when not told."""

    work_unit_code = Text(length_max=CODE_LENGTH_MAX, required=True)
    period = fields.String(validate=validate.Length(max=PERIOD_LENGTH_MAX))


class ReportQuery(Body):
    """Of which organization, and of which period; the running quarter when not told."""

    organization_code = Text(length_max=CODE_LENGTH_MAX, required=True)
    period = fields.String(validate=validate.Length(max=PERIOD_LENGTH_MAX))


class TableLineOut(Schema):
    """One person in a quarter's table; masked unless they agreed to be named in public."""

    no = fields.Integer()
    name = fields.String()
    band = fields.String()


class QuarterTableOut(Schema):
    """A quarter of an organization as it may hang on the wall."""

    title = fields.String()
    period = fields.String()
    source = fields.String(metadata={"description": "notice, snapshot or standing"})
    version = fields.Integer()
    standard_version = fields.Integer()
    may_hang = fields.Boolean()
    unnamed = fields.Integer()
    digest = fields.String()
    items = fields.List(fields.Nested(TableLineOut))


class PlacePartOut(Schema):
    """A branch or a grid: its members, and who of them took part."""

    code = fields.String()
    name = fields.String()
    members = fields.Integer()
    active = fields.Integer()


class PartakingOut(Schema):
    """A period's figures of an organization, with what they do not hold yet."""

    period = fields.String()
    members = fields.Integer()
    active = fields.Integer()
    service_minutes = fields.Integer()
    points_earned = fields.Integer()
    by_hand_minutes = fields.Integer()
    by_hand_points = fields.Integer()
    meetings_without_list = fields.Integer()
    shifts_without_list = fields.Integer()
    shifts_unsettled = fields.Integer()
    branches = fields.List(fields.Nested(PlacePartOut))
    grids = fields.List(fields.Nested(PlacePartOut))


class UnitLineOut(Schema):
    """One person who agreed to be named to the unit."""

    name = fields.String()
    community = fields.String()
    service_minutes = fields.Integer()
    tasks = fields.Integer()
    year_service_minutes = fields.Integer()
    year_tasks = fields.Integer()
    comment = fields.String()


class UnitSheetOut(Schema):
    """A work unit's quarter; unnamed people are counted without hours."""

    work_unit_code = fields.String()
    work_unit = fields.String()
    period = fields.String()
    service_minutes = fields.Integer()
    tasks = fields.Integer()
    unnamed = fields.Integer()
    items = fields.List(fields.Nested(UnitLineOut))


def unit_sheet_out(sheet: UnitSheet) -> dict[str, Any]:
    """Return a unit's sheet as the contract has it."""
    return {
        "work_unit_code": sheet.code,
        "work_unit": sheet.name,
        "period": sheet.period.name,
        "service_minutes": sheet.minutes,
        "tasks": sheet.tasks,
        "unnamed": sheet.unnamed,
        "items": [
            {
                "name": line.name,
                "community": line.community,
                "service_minutes": line.minutes,
                "tasks": line.tasks,
                "year_service_minutes": line.year_minutes,
                "year_tasks": line.year_tasks,
                "comment": line.comment,
            }
            for line in sheet.lines
        ],
    }


def unit_headers() -> list[str]:
    """Return the headings of a unit's sheet."""
    return [
        gettext("Name"),
        gettext("Home community"),
        gettext("Registered from"),
        gettext("Hours this quarter"),
        gettext("Times this quarter"),
        gettext("Hours this year"),
        gettext("Times this year"),
        gettext("The community says"),
    ]


def unit_cells(line: UnitLine) -> list[Cell]:
    """Return a person's line below the headings, hours as numbers."""
    return [
        line.name,
        line.community,
        full_day(line.from_on),
        line.minutes / 60,
        line.tasks,
        line.year_minutes / 60,
        line.year_tasks,
        line.comment,
    ]


def unit_table(sheet: UnitSheet, title: str, made_on: date) -> Sheet:
    """Return a unit's sheet for a spreadsheet, with who is not named in its last row."""

    def rows() -> Iterator[list[Cell]]:
        for line in sheet.lines:
            yield unit_cells(line)
        yield [gettext("In all"), None, None, sheet.minutes / 60, sheet.tasks]
        if sheet.unnamed:
            yield [unnamed_words(sheet.unnamed)]

    note = f"{title} · {gettext('As of %(day)s', day=full_day(made_on))} · {aim_words()}"
    return Sheet(sheet.period.name, note, unit_headers(), rows())


def unnamed_words(count: int) -> str:
    """Say how many people are registered and did not agree to be named."""
    return str(
        gettext(
            "Registered as well, without consent to be named: %(count)s. "
            "Their hours are not told.",
            count=count,
        )
    )


def aim_words() -> str:
    """Say what is usual, as a fact beside the figures."""
    return str(
        gettext(
            "For comparison: %(hours)s or %(times)s times a year is customary. "
            "This sheet states what was done and judges nobody.",
            hours=hours(AIM_MINUTES),
            times=AIM_TIMES,
        )
    )


def quarter_sheet(table: QuarterTable, notes: list[str], closing: list[str]) -> Sheet:
    """Return a quarter's table for a spreadsheet; what stands below it are its last rows."""

    def rows() -> Iterator[list[Cell]]:
        for line in table.lines:
            yield [line.no, line.name, line.band]
        for sentence in closing:
            yield [sentence]

    return Sheet(
        name=table.period.name,
        note=" · ".join([table.title, *notes]),
        headers=[gettext("No."), gettext("Name"), gettext("Band of the evaluation score")],
        rows=rows(),
    )


def quarter_table_out(table: QuarterTable) -> dict[str, Any]:
    """Return a quarter's table as the contract has it."""
    return {
        **{
            name: getattr(table, name)
            for name in (
                "title",
                "source",
                "version",
                "standard_version",
                "may_hang",
                "unnamed",
                "digest",
            )
        },
        "period": table.period.name,
        "items": [vars(line) for line in table.lines],
    }


def partaking_out(
    period: Period,
    branches: list[PlacePart],
    grids: list[PlacePart],
    entered: Entered,
    gaps: Gaps,
) -> dict[str, Any]:
    """Return a period's figures as the contract has them."""
    return {
        "period": period.name,
        "members": sum(part.members for part in branches),
        "active": sum(part.active for part in branches),
        "service_minutes": entered.net_minutes,
        "points_earned": entered.net_points,
        "by_hand_minutes": entered.typed_minutes + entered.adjusted_minutes,
        "by_hand_points": entered.typed_points + entered.adjusted_points,
        **vars(gaps),
        "branches": [vars(part) for part in branches],
        "grids": [vars(part) for part in grids],
    }
