"""Applications and plans put into one public notice, and taken out of it again."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, text, update
from sqlalchemy.orm import Session

from pointsbank.certificates.applying import KEEPERS, refuse
from pointsbank.certificates.errors import (
    NothingChosen,
    OwnStar,
    StarApplicationMoved,
    StarApplicationNotFound,
)
from pointsbank.certificates.models import OrganizationStarPlan, StarApplication
from pointsbank.certificates.planning import note_plan
from pointsbank.certificates.plans_errors import PlanMoved, PlanNotFound, ShownFromAbove
from pointsbank.certificates.plans_queries import PlanFile, plan_of, plans_in_notice
from pointsbank.certificates.queries import (
    ApplicationFile,
    application_of,
    applications_in_notice,
)
from pointsbank.certificates.rating import path_above
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.calendar import local_day
from pointsbank.core.db import Moment
from pointsbank.notices.drafting import (
    DraftLine,
    draft_notice,
    replace_notice,
    withdraw_notice,
)
from pointsbank.notices.queries import notice_of
from pointsbank.organizations.queries import OrganizationNode, organization_of

# The path that is above the top of the tree.
EVERYTHING = "/"

# The guards: what somebody decided or withdrew meanwhile is not put into a notice.
SHOW_STAR = text(
    """
    UPDATE star_application
    SET state = 'noticed', notice_id = :notice_id, decided_by_id = :actor_id, decided_at = :now
    WHERE id = :id AND state = 'applied'
    RETURNING id
    """
).bindparams(bindparam("now", type_=Moment()))
SHOW_PLAN = text(
    """
    UPDATE organization_star_plan SET state = 'noticed', notice_id = :notice_id
    WHERE id = :id AND state = 'reviewed'
    RETURNING id
    """
)
TAKE_PLAN_OUT = text(
    """
    UPDATE organization_star_plan SET state = 'refused', review = :reason
    WHERE id = :id AND state = 'noticed'
    RETURNING id
    """
)


def star_line(found: ApplicationFile) -> DraftLine:
    """Return an application as a notice shows it: the star, and the service time behind it."""
    return DraftLine(
        member_id=found.member_id,
        organization_id=None,
        facts={"stars": found.stars, "minutes": found.service_minutes},
    )


def plan_line(plan: PlanFile) -> DraftLine:
    """Return a reviewed plan as a notice shows it: the stars, and the marks behind them."""
    return DraftLine(
        member_id=None,
        organization_id=plan.organization_id,
        facts={"stars": plan.stars, "marks": plan.reviewed_marks},
    )


def draft_star_notice(
    session: Session,
    *,
    actor: Actor,
    organization_id: int,
    application_ids: Sequence[int],
    zone: ZoneInfo,
    now: datetime,
) -> int:
    """Put several applications of an organization into one notice, and return its id.

    Another person reviews the notice before it is shown.
    Raises NothingChosen, OrganizationNotFound, StarApplicationNotFound, OwnStar,
    StarApplicationMoved, NoticeAlive.
    """
    place = organization_of(session, organization_id, actor.paths(*KEEPERS))
    ids = sorted(set(application_ids))
    if not ids:
        raise NothingChosen
    found = [application_of(session, each, [place.path]) for each in ids]
    if any(each.member_id == actor.member_id for each in found):
        raise OwnStar
    if any(each.state != "applied" for each in found):
        raise StarApplicationMoved
    year = local_day(now, zone).year
    notice_id = draft_notice(
        session,
        kind="star",
        subject=f"star:{year}:{place.id}",
        organization_id=place.id,
        title=star_title(place, year),
        facts={"year": year},
        lines=[star_line(each) for each in found],
        drafted_by_id=actor.member_id,
        now=now,
    )
    for each in found:
        values = {
            "id": each.id,
            "notice_id": notice_id,
            "actor_id": actor.member_id,
            "now": now,
        }
        if session.execute(SHOW_STAR, values).first() is None:
            raise StarApplicationMoved
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="draft_star_notice",
        subject=("notice", notice_id),
        application_ids=ids,
    )
    return notice_id


def star_title(place: OrganizationNode, year: int) -> str:
    """Return the title of a notice of volunteer stars, as it is printed."""
    return f"{place.name}{year}年星级志愿者拟评定名单"


def plans_title(place: OrganizationNode, year: int) -> str:
    """Return the title of a notice of organizations' stars, as it is printed."""
    return f"{place.name}{year}年五星创建拟评定名单"


def draft_plans_notice(
    session: Session,
    *,
    actor: Actor,
    organization_id: int,
    plan_ids: Sequence[int],
    now: datetime,
) -> int:
    """Put the reviewed plans of one year under an organization into one notice; return its id.

    It is an organization above theirs, whose people review the notice and answer objections to
    it; nothing is above the top of the tree.
    Raises NothingChosen, OrganizationNotFound, PlanNotFound, PlanMoved, ShownFromAbove,
    NoticeAlive.
    """
    place = organization_of(session, organization_id, actor.paths("administrator"))
    ids = sorted(set(plan_ids))
    if not ids:
        raise NothingChosen
    found = [plan_of(session, each, actor) for each in ids]
    if any(not each.path.startswith(place.path) for each in found):
        raise PlanNotFound
    if any(each.state != "reviewed" for each in found) or len({p.year for p in found}) > 1:
        raise PlanMoved
    is_top = path_above(place.path) == EVERYTHING
    if any(each.organization_id == place.id for each in found) and not is_top:
        raise ShownFromAbove
    year = found[0].year
    notice_id = draft_notice(
        session,
        kind="organization_star",
        subject=f"organization_star:{year}:{place.id}",
        organization_id=place.id,
        title=plans_title(place, year),
        facts={"year": year},
        lines=[plan_line(each) for each in found],
        drafted_by_id=actor.member_id,
        now=now,
    )
    for each in found:
        values = {"id": each.id, "notice_id": notice_id}
        if session.execute(SHOW_PLAN, values).first() is None:
            raise PlanMoved
        note_plan(session, actor, "notice_star_plan", each.id, now)
    return notice_id


def take_star_out(
    session: Session,
    *,
    notice_id: int,
    application_ids: Sequence[int],
    reason: str,
    by_id: int | None,
    now: datetime,
) -> int | None:
    """Refuse these applications, let a new version of the notice show the others, and return
    the new version's id; None when nobody is left and the notice was withdrawn.

    application_ids: none, when whoever it is about withdrew before: only the others are shown.
    Raises StarApplicationNotFound when one is not shown in this notice, OwnStar.
    """
    shown = applications_in_notice(session, notice_id)
    out = [each for each in shown if each.id in application_ids]
    if len(out) < len(set(application_ids)):
        raise StarApplicationNotFound
    if any(each.member_id == by_id for each in out):
        raise OwnStar
    for each in out:
        if not refuse(session, each, was="noticed", by_id=by_id, reason=reason, now=now):
            raise StarApplicationMoved
    left = [each for each in shown if each not in out]
    lines = [star_line(each) for each in left]
    new_id = _shown_anew(session, notice_id, lines, by_id=by_id, reason=reason, now=now)
    session.execute(
        update(StarApplication)
        .where(StarApplication.id.in_([each.id for each in left]))
        .values(notice_id=new_id)
    )
    return new_id


def _shown_anew(
    session: Session,
    notice_id: int,
    lines: Sequence[DraftLine],
    *,
    by_id: int | None,
    reason: str,
    now: datetime,
) -> int | None:
    """Show what is left in a notice's place; withdraw it when nothing is."""
    if not lines:
        withdraw_notice(session, notice_id=notice_id, by_id=by_id, reason=reason, now=now)
        return None
    old = notice_of(session, notice_id)
    return replace_notice(
        session,
        notice_id=notice_id,
        lines=lines,
        facts=old.facts,
        title=old.title,
        by_id=by_id,
        reason=reason,
        now=now,
    )


def take_plan_out(
    session: Session,
    *,
    notice_id: int,
    plan_ids: Sequence[int],
    reason: str,
    by_id: int | None,
    now: datetime,
) -> int | None:
    """Do the same with plans.

    Raises PlanNotFound when one is not shown in this notice.
    """
    shown = plans_in_notice(session, notice_id)
    out = [each for each in shown if each.id in plan_ids]
    if len(out) < len(set(plan_ids)):
        raise PlanNotFound
    for each in out:
        if session.execute(TAKE_PLAN_OUT, {"id": each.id, "reason": reason}).first() is None:
            raise PlanMoved
    left = [each for each in shown if each not in out]
    lines = [plan_line(each) for each in left]
    new_id = _shown_anew(session, notice_id, lines, by_id=by_id, reason=reason, now=now)
    session.execute(
        update(OrganizationStarPlan)
        .where(OrganizationStarPlan.id.in_([each.id for each in left]))
        .values(notice_id=new_id)
    )
    return new_id
