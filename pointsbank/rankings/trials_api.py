"""The JSON door of trials: a draft of the standard over a past period."""

from typing import Any

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.rankings.trial_schemas import TrialOut, TrialsOut, WantedTrial, trial_out
from pointsbank.rankings.trials import trial_file, trials_of
from pointsbank.rankings.trying import run_trial
from pointsbank.scoring.standards import KEEPER
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from
from pointsbank.web.forms import settings

api = Blueprint("trials_api", __name__, description="Drafts of the standard, tried.")


@api.post("/scoring/standards/<id:standard_id>/trials")
@api.arguments(WantedTrial)
@api.response(201, TrialOut)
@roles_only(KEEPER)
def try_draft(body: dict[str, Any], standard_id: int) -> dict[str, Any]:
    """Run a draft over a past period and answer who would have moved; it binds nobody."""
    actor, now = current_actor(), clock.now()
    trial_id = run(
        lambda session: run_trial(
            session,
            standard_id=standard_id,
            period_name=body["period"],
            organization_code=body["organization_code"],
            actor=actor,
            today=local_day(now, settings().zone),
            now=now,
        )
    )
    with reading() as session:
        return trial_out(trial_file(session, actor, trial_id))


@api.get("/scoring/standards/<id:standard_id>/trials")
@api.arguments(PageQuery, location="query")
@api.response(200, TrialsOut)
@roles_only(KEEPER)
def list_trials(query: dict[str, Any], standard_id: int) -> dict[str, Any]:
    """List the trials of a draft, the newest first."""
    limit = query["limit"]
    with reading() as session:
        found = trials_of(
            session,
            current_actor(),
            standard_id,
            before_id=position_from(query.get("cursor")),
            limit=limit + 1,
        )
    return {
        "items": [trial_out(each) for each in found[:limit]],
        "next": cursor_from(found[limit - 1].id) if len(found) > limit else None,
    }


@api.get("/scoring/trials/<id:trial_id>")
@api.response(200, TrialOut)
@roles_only(KEEPER)
def show_trial(trial_id: int) -> dict[str, Any]:
    """Answer one trial with who moved furthest."""
    with reading() as session:
        return trial_out(trial_file(session, current_actor(), trial_id))
