"""Reports of points as programs and spreadsheets see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext
from marshmallow import Schema, fields

from pointsbank.core.sheets import Cell, Sheet
from pointsbank.organizations.schemas import OrganizationLineOut, organization_out
from pointsbank.settlements.reporting import Flow, MonthLine, PlaceLine, Report, TakenLine
from pointsbank.web.contract import Body

# What a report is handed out by, one file each.
MONTHS, COMMUNITIES, MERCHANTS, REWARDS = "months", "communities", "merchants", "rewards"
SHEETS = (MONTHS, COMMUNITIES, MERCHANTS, REWARDS)


class ReportQuery(Body):
    """From which month through which, 2026-01; the year through the running one if none."""

    first = fields.String()
    last = fields.String()


class PointsFlowOut(Schema):
    """What went into wallets and out of them; moved is below zero when more left the scope."""

    issued = fields.Integer()
    taken_back = fields.Integer()
    redeemed = fields.Integer()
    voided = fields.Integer()
    expired = fields.Integer()
    moved = fields.Integer()
    outstanding = fields.Integer()


class ReportMonthOut(PointsFlowOut):
    """One month; outstanding at its end, or at present."""

    month = fields.String()


class ReportPlaceOut(PointsFlowOut):
    """A community: issued and taken_back by its issuing account, all else of its wallets."""

    organization = fields.Nested(OrganizationLineOut)


class ReportNameOut(Schema):
    """A merchant or a reward by its name."""

    id = fields.Integer()
    name = fields.String()


class ReportTakenOut(Schema):
    """What a merchant took; net is less what it gave back."""

    merchant = fields.Nested(ReportNameOut)
    redeemed = fields.Integer()
    voided = fields.Integer()
    net = fields.Integer()


class ReportRewardOut(ReportTakenOut):
    """What was taken for one reward; reward is null for what no redemption stands behind."""

    reward = fields.Nested(ReportNameOut, allow_none=True)


class PointsReportOut(Schema):
    """A span of months: opening is what wallets held before it, totals are of the whole."""

    first = fields.String()
    last = fields.String()
    opening = fields.Integer()
    totals = fields.Nested(PointsFlowOut)
    months = fields.List(fields.Nested(ReportMonthOut))
    communities = fields.List(fields.Nested(ReportPlaceOut))
    merchants = fields.List(fields.Nested(ReportTakenOut))
    rewards = fields.List(fields.Nested(ReportRewardOut))


def report_out(report: Report) -> dict[str, Any]:
    """Return a report as programs see it."""
    return {
        "first": report.months[0].month.name,
        "last": report.months[-1].month.name,
        "opening": report.opening,
        "totals": flow_out(report.total, report.outstanding),
        "months": [
            {"month": each.month.name, **flow_out(each.flow, each.outstanding)}
            for each in report.months
        ],
        "communities": [place_out(each) for each in report.places],
        "merchants": [taken_out(each) for each in report.merchants],
        "rewards": [
            {
                **taken_out(each),
                "reward": each.reward_id and {"id": each.reward_id, "name": each.reward},
            }
            for each in report.rewards
        ],
    }


def flow_out(flow: Flow, outstanding: int) -> dict[str, int]:
    """Return what moved, and what was held after it."""
    return {**vars(flow), "outstanding": outstanding}


def place_out(each: PlaceLine) -> dict[str, Any]:
    """Return a community's two sides."""
    return {
        **flow_out(each.sums.wallets, each.sums.outstanding),
        "issued": each.sums.issued,
        "taken_back": each.sums.taken_back,
        "organization": organization_out(each.place),
    }


def taken_out(each: TakenLine) -> dict[str, Any]:
    """Return what a merchant took."""
    return {
        "merchant": {"id": each.merchant_id, "name": each.merchant},
        "redeemed": each.redeemed,
        "voided": each.voided,
        "net": each.net,
    }


def flow_headers() -> list[str]:
    """Return what the figures of a month or of a community are called, in their order."""
    return [
        gettext("Issued"),
        gettext("Taken back"),
        gettext("Redeemed in all"),
        gettext("Voided in all"),
        gettext("Expired in all"),
        gettext("Gifts in less out"),
        gettext("Outstanding"),
    ]


def taken_headers() -> list[str]:
    """Return what the figures of a merchant or a reward are called."""
    return [gettext("Points taken"), gettext("Points given back"), gettext("Net points")]


def flow_figures(flow: Flow, outstanding: int) -> list[int]:
    """Return the figures of a month in the order of their headers."""
    return [*vars(flow).values(), outstanding]


def place_figures(each: PlaceLine) -> list[int]:
    """Return the figures of a community in the order of their headers."""
    sums = each.sums
    figures = flow_figures(sums.wallets, sums.outstanding)
    return [sums.issued, sums.taken_back, *figures[2:]]


def taken_figures(each: TakenLine) -> list[int]:
    """Return the figures of a merchant or a reward in the order of their headers."""
    return [each.redeemed, each.voided, each.net]


def reward_name(each: TakenLine) -> str:
    """Return what a line is called that belongs to a reward, or to none."""
    return each.reward or str(gettext("Without a reward"))


def report_sheet(report: Report, by: str, zone: ZoneInfo, now: datetime) -> Sheet:
    """Return one part of a report as a sheet; by: one of SHEETS."""
    headers, rows = {
        MONTHS: _by_month,
        COMMUNITIES: _by_community,
        MERCHANTS: _by_merchant,
        REWARDS: _by_reward,
    }[by](report)
    first, last = report.months[0].month.name, report.months[-1].month.name
    return Sheet(
        name=gettext("Points report"),
        note=gettext(
            "%(first)s to %(last)s, as of %(moment)s.",
            first=first,
            last=last,
            moment=f"{now.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        ),
        headers=headers,
        rows=rows,
    )


Part = tuple[Sequence[str], list[list[Cell]]]


def _by_month(report: Report) -> Part:
    def cells(each: MonthLine) -> list[Cell]:
        return [each.month.name, *flow_figures(each.flow, each.outstanding)]

    whole = [gettext("In all"), *flow_figures(report.total, report.outstanding)]
    return [gettext("Month"), *flow_headers()], [*map(cells, report.months), whole]


def _by_community(report: Report) -> Part:
    return (
        [gettext("Code"), gettext("Community"), *flow_headers()],
        [[each.place.code, each.place.name, *place_figures(each)] for each in report.places],
    )


def _by_merchant(report: Report) -> Part:
    return (
        [gettext("Merchant"), *taken_headers()],
        [[each.merchant, *taken_figures(each)] for each in report.merchants],
    )


def _by_reward(report: Report) -> Part:
    return (
        [gettext("Reward"), gettext("Merchant"), *taken_headers()],
        [[reward_name(each), each.merchant, *taken_figures(each)] for each in report.rewards],
    )
