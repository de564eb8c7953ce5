"""The secretary's first page: what waits, figures, months, the top of the ranking."""

from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading
from pointsbank.ledger.verifying import offenders_last_found
from pointsbank.organizations.workdays import year_to_load
from pointsbank.rankings.checking import standings_last_found
from pointsbank.rankings.pages.facing import (
    explanation,
    period_name,
    printed_line,
    settings,
)
from pointsbank.rankings.pages.figuring import (
    Figures,
    by_hand_rows,
    charts_of,
    counts_of,
    first_month,
    month_after,
    samples_of,
    tables_of,
)
from pointsbank.rankings.pages.ranking import pages as pages
from pointsbank.rankings.pages.scoping import (
    asked_period,
    periods_offered,
    place_of,
    places_offered,
    scope_of,
)
from pointsbank.rankings.partaking import (
    entered_in,
    gaps_in,
    parts_by_branch,
    parts_by_grid,
    parts_by_month,
)
from pointsbank.rankings.policy import VIEWER_ROLES, reporting_paths
from pointsbank.rankings.queries import as_of, count_ranked, ranked_members
from pointsbank.rankings.queries import scope_of as ranked_scope
from pointsbank.rankings.viewing import View
from pointsbank.rankings.work_words import work_that_waits
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.formats import moment

# What a dashboard shows of a ranking; the rest is one tap away.
TOP_LINES = 7
CODE_LENGTH_MAX = 32


@pages.get("/dashboard")
@roles_only(*VIEWER_ROLES)
def dashboard() -> ResponseReturnValue:
    """Show what waits, then the figures of a period, then the top of its ranking."""
    now, zone = clock.now(), settings().zone
    today = local_day(now, zone)
    actor = current_actor()
    period = asked_period(today)
    code = request.args.get("organization_code", "")[:CODE_LENGTH_MAX]
    with reading() as session:
        paths = scope_of(session, reporting_paths(actor), code)
        place = place_of(session, actor, code)
        work = work_that_waits(session, actor, reporting_paths(actor), now)
        shown = Figures(
            parts_by_branch(session, paths, period),
            parts_by_grid(session, paths, period),
            entered_in(session, paths, period, zone),
            gaps_in(session, paths, period, zone, now),
        )
        months = parts_by_month(session, paths, first_month(today), month_after(today))
        # What whoever runs the service is to be told of, for those who can tell them.
        is_chief = actor.is_("administrator")
        context = {
            "missing_year": year_to_load(session, today) if is_chief else None,
            "differing": standings_last_found(session) if is_chief else 0,
            "wrong": offenders_last_found(session) if is_chief else 0,
            "places": places_offered(session, actor),
            **top_of_ranking(session, View(period, paths, None, place)),
        }
    return render_template(
        "rankings/dashboard.html",
        **context,
        branch=place,
        today=today,
        waiting=sum(item["number"] for item in work),
        work=work,
        figures=counts_of(shown),
        samples=samples_of(shown, now),
        tables=tables_of(shown),
        charts=charts_of(months, today),
        by_hand=by_hand_rows(shown.entered),
        filters={"periods": periods_offered(today), "period": period.name, "code": code},
        links={
            "here": url_for("ranking_pages.dashboard"),
            "ranking": url_for(
                "ranking_pages.ranking", period=period.name, organization_code=code or None
            ),
            "manual": url_for("manual_pages.show_shares"),
        },
    )


def top_of_ranking(session: Session, view: View) -> dict[str, Any]:
    """Return the first lines of the ranking and why the first is so; none before a roll-up."""
    counted = as_of(session, view.period.name)
    scope = ranked_scope(session, period=view.period.name, paths=view.paths)
    rows = ranked_members(session, scope, limit=TOP_LINES)
    if counted is None or not rows:
        return {"ranking": None, "why": None}
    total = count_ranked(session, scope)
    asked: dict[str, Any] = {"period": view.period.name}
    lines = [printed_line(row, "members", asked) for row in rows]
    lines[0]["current"] = True
    return {
        "ranking": {
            "title": gettext("%(period)s, evaluation", period=period_name(view.period)),
            "note": gettext("as of %(time)s", time=moment(counted.moment)),
            "lead": ngettext(
                "%(num)s person took part. Ranks are shown to you alone.",
                "%(num)s people took part. Ranks are shown to you alone.",
                total,
            ),
            "lines": lines,
        },
        "why": explanation(session, view, scope, rows[0]),
    }
