"""Drafts of standards: made, changed by whoever saw them last, published by another."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Date, bindparam, delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.calendar import end_of_next_year
from pointsbank.scoring.capping import forget_taken
from pointsbank.scoring.contents import Problem, digest_of, judged
from pointsbank.scoring.errors import (
    BadStandard,
    BadValidFrom,
    DraftChanged,
    NotADraftStandard,
    PublishedMeanwhile,
    PublisherDrafted,
    StandardNotFound,
    TooManyDrafts,
)
from pointsbank.scoring.files import written
from pointsbank.scoring.models import ScoringItem, ScoringStandard
from pointsbank.scoring.standards import (
    check_keeper,
    content_of,
    known_categories,
    newest_published,
    standard_line,
)

DRAFTS_MAX = 100
# Of two who publish at once the second finds the version before it ended already.
END_BEFORE = text(
    "UPDATE scoring_standard SET valid_to = :valid_from WHERE id = :id AND valid_to IS NULL"
).bindparams(bindparam("valid_from", type_=Date()))


def draft_standard(
    session: Session, *, actor: Actor, plain: Any, today: date, now: datetime
) -> int:
    """Keep a judged content as a new draft, which binds nobody, and return its id.

    Raises StandardsForWhole, TooManyDrafts, BadStandard.
    """
    check_keeper(session, actor)
    drafts = session.scalar(
        select(func.count())
        .where(ScoringStandard.state == "draft")
        .select_from(ScoringStandard)
    )
    if (drafts or 0) >= DRAFTS_MAX:
        raise TooManyDrafts(most=DRAFTS_MAX)
    content = _kept(session, plain)
    standard_id = session.execute(
        insert(ScoringStandard)
        .values(
            name=content["name"],
            state="draft",
            # A day until somebody chooses one: the next first of a month.
            valid_from=(today.replace(day=1) + timedelta(days=32)).replace(day=1),
            rounding=content["rounding"],
            evaluation_tables=content["evaluation_tables"],
            drafted_by_id=actor.member_id,
            drafted_at=now,
        )
        .returning(ScoringStandard.id)
    ).scalar_one()
    _write_items(session, standard_id, content)
    _note(session, actor, "standard_drafted", standard_id, now)
    return standard_id


def change_draft(
    session: Session,
    *,
    standard_id: int,
    actor: Actor,
    plain: Any,
    seen_digest: str,
    now: datetime,
) -> str:
    """Let a draft say this instead, and return its new digest; a repeat changes nothing.

    seen_digest: of the draft as the actor read it; who changes it last does not publish it.
    Raises StandardsForWhole, StandardNotFound, NotADraftStandard, DraftChanged, BadStandard.
    """
    check_keeper(session, actor)
    before = _locked_draft(session, standard_id)
    content = _kept(session, plain)
    digest = digest_of(content)
    if digest == digest_of(before):
        return digest
    _check_seen(before, seen_digest)
    session.execute(
        update(ScoringStandard)
        .where(ScoringStandard.id == standard_id)
        .values(
            name=content["name"],
            rounding=content["rounding"],
            evaluation_tables=content["evaluation_tables"],
            drafted_by_id=actor.member_id,
            drafted_at=now,
        )
    )
    session.execute(delete(ScoringItem).where(ScoringItem.standard_id == standard_id))
    _write_items(session, standard_id, content)
    _note(session, actor, "standard_changed", standard_id, now)
    return digest


def discard_draft(session: Session, *, standard_id: int, actor: Actor, now: datetime) -> None:
    """Put a draft away; it stays readable by its id and judges nobody. A repeat does nothing.

    Raises StandardsForWhole, StandardNotFound, NotADraftStandard for a published version.
    """
    check_keeper(session, actor)
    if standard_line(session, standard_id).state == "discarded":
        return
    _locked_draft(session, standard_id)
    session.execute(
        update(ScoringStandard)
        .where(ScoringStandard.id == standard_id)
        .values(state="discarded")
    )
    _note(session, actor, "standard_discarded", standard_id, now)


def publish_draft(
    session: Session,
    *,
    standard_id: int,
    actor: Actor,
    valid_from: date,
    seen_digest: str,
    today: date,
    now: datetime,
) -> int:
    """Let a draft be the rules from a day on, and return its version.

    The version before it ends that day; entries keep the version they were made by. The draft
    is judged once more: another version may have been published since it was written.
    Raises StandardsForWhole, StandardNotFound, NotADraftStandard, PublisherDrafted,
    DraftChanged, BadStandard, BadValidFrom, PublishedMeanwhile.
    """
    check_keeper(session, actor)
    content = _locked_draft(session, standard_id)
    if standard_line(session, standard_id).drafted_by_id == actor.member_id:
        raise PublisherDrafted
    _check_seen(content, seen_digest)
    _kept(session, content)
    newest = newest_published(session)
    least = max(today, newest.valid_from + timedelta(days=1))
    most = max(least, end_of_next_year(today))
    if not least <= valid_from <= most:
        raise BadValidFrom(least=least.isoformat(), most=most.isoformat())
    ended: Any = session.execute(END_BEFORE, {"id": newest.id, "valid_from": valid_from})
    if ended.rowcount != 1:
        raise PublishedMeanwhile
    version = (newest.version or 0) + 1
    session.execute(
        update(ScoringStandard)
        .where(ScoringStandard.id == standard_id)
        .values(
            state="published",
            version=version,
            valid_from=valid_from,
            published_by_id=actor.member_id,
            published_at=now,
        )
    )
    forget_taken(session)
    _note(session, actor, "standard_published", standard_id, now, version=version)
    return version


def export_standard(
    session: Session, *, standard_id: int, actor: Actor, now: datetime
) -> tuple[bytes, str]:
    """Return a version or draft as a YAML file with its name; the trail keeps who took it.

    Raises StandardsForWhole, StandardNotFound.
    """
    check_keeper(session, actor)
    found = standard_line(session, standard_id)
    _note(session, actor, "standard_exported", standard_id, now)
    name = f"standard-v{found.version}" if found.version else f"standard-draft-{standard_id}"
    return written(content_of(session, standard_id)), f"{name}.yaml"


def problem_facts(problems: list[Problem]) -> list[dict[str, Any]]:
    """Return problems as a refusal carries them: plain values, sentences still in English."""
    return [
        {"place": each.place, "sentence": each.sentence, "facts": dict(each.facts)}
        for each in problems
    ]


def _kept(session: Session, plain: Any) -> dict[str, Any]:
    content, problems = judged(plain, known_categories=known_categories(session))
    if problems:
        raise BadStandard(problems=problem_facts(problems))
    return content


def _locked_draft(session: Session, standard_id: int) -> dict[str, Any]:
    """Return a draft's content, held fast: who edits and who publishes meet here."""
    state = session.scalar(
        select(ScoringStandard.state).where(ScoringStandard.id == standard_id).with_for_update()
    )
    if state is None:
        raise StandardNotFound
    if state != "draft":
        raise NotADraftStandard
    return content_of(session, standard_id)


def _check_seen(content: Mapping[str, Any], seen_digest: str) -> None:
    if digest_of(content) != seen_digest:
        raise DraftChanged


def _write_items(session: Session, standard_id: int, content: Mapping[str, Any]) -> None:
    session.execute(
        insert(ScoringItem),
        [{**item, "standard_id": standard_id} for item in content["items"]],
    )


def _note(
    session: Session, actor: Actor, action: str, standard_id: int, now: datetime, **facts: Any
) -> None:
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=action,
        subject=("standard", standard_id),
        **facts,
    )
