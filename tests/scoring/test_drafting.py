"""Drafts of standards: judged, changed by whoever saw them, published by a second person."""

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import transaction
from pointsbank.scoring import drafting
from pointsbank.scoring.contents import digest_of
from pointsbank.scoring.drafting import (
    change_draft,
    discard_draft,
    draft_standard,
    publish_draft,
)
from pointsbank.scoring.errors import (
    BadStandard,
    BadValidFrom,
    DraftChanged,
    NotADraftStandard,
    PublishedMeanwhile,
    PublisherDrafted,
    StandardNotFound,
    StandardsForWhole,
    TooManyDrafts,
)
from pointsbank.scoring.models import ScoreEntry, ScoringStandard
from pointsbank.scoring.queries import standard_on
from pointsbank.scoring.standards import content_of, standard_line
from tests.builders import a_member, a_score_entry, an_organization
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, forget_guard, forget_lock, meet_after, race
from tests.scoring.keepers import TODAY, a_draft, some_keepers

SOON = TODAY + timedelta(days=10)


def published(session, standard_id, actor, valid_from=SOON, seen=None):
    return publish_draft(
        session,
        standard_id=standard_id,
        actor=actor,
        valid_from=valid_from,
        seen_digest=seen or digest_of(content_of(session, standard_id)),
        today=TODAY,
        now=NOON,
    )


def changed(session, standard_id, actor, points, seen=None):
    content = content_of(session, standard_id)
    digest = seen or digest_of(content)
    content["items"][0]["points"] = points
    return change_draft(
        session,
        standard_id=standard_id,
        actor=actor,
        plain=content,
        seen_digest=digest,
        now=NOON,
    )


def test_a_second_person_publishes_and_the_version_before_ends(session):
    keepers = some_keepers(session)
    member = a_member(session)
    a_score_entry(session, member, earned_on=TODAY)
    draft_id = a_draft(session, keepers.one)
    changed(session, draft_id, keepers.one, 12)
    assert standard_on(session, SOON).version == 1
    assert published(session, draft_id, keepers.other) == 2
    session.expire_all()
    before, after = standard_on(session, SOON - timedelta(days=1)), standard_on(session, SOON)
    assert (before.version, before.valid_to) == (1, SOON)
    assert (after.version, after.valid_to) == (2, None)
    assert (before.items[0].points, after.items[0].points) == (10, 12)
    entry = session.scalars(select(ScoreEntry)).one()
    assert entry.item_id in {item.id for item in before.items}


def test_whoever_changed_it_last_does_not_publish(session):
    keepers = some_keepers(session)
    draft_id = a_draft(session, keepers.one)
    with pytest.raises(PublisherDrafted):
        published(session, draft_id, keepers.one)
    changed(session, draft_id, keepers.other, 12)
    with pytest.raises(PublisherDrafted):
        published(session, draft_id, keepers.other)
    assert published(session, draft_id, keepers.one) == 2


def test_the_table_knows_of_two_people_too(session):
    keepers = some_keepers(session)
    draft_id = a_draft(session, keepers.one)
    with pytest.raises(Exception, match="second_person"):
        session.execute(
            text(
                "UPDATE scoring_standard SET state = 'published', version = 2,"
                " published_by_id = drafted_by_id WHERE id = :id"
            ),
            {"id": draft_id},
        )
    session.rollback()


@pytest.mark.parametrize("days", [-1, -400])
def test_a_version_never_begins_in_the_past(session, days):
    keepers = some_keepers(session)
    draft_id = a_draft(session, keepers.one)
    with pytest.raises(BadValidFrom):
        published(session, draft_id, keepers.other, TODAY + timedelta(days=days))
    assert published(session, draft_id, keepers.other, TODAY) == 2


def test_a_version_begins_after_the_one_before(session):
    keepers = some_keepers(session)
    published(session, a_draft(session, keepers.one), keepers.other, SOON)
    with pytest.raises(BadValidFrom, match="2026-12-02"):
        published(session, a_draft(session, keepers.one), keepers.other, SOON)


def test_a_mistyped_year_does_not_block_every_version_after_it(session):
    """What is published begins when it says for ever, and the next one only after it."""
    keepers = some_keepers(session)
    draft_id = a_draft(session, keepers.one)
    for year in (2028, 2062, 9999):
        with pytest.raises(BadValidFrom, match="2027-12-31"):
            published(session, draft_id, keepers.other, date(year, 1, 1))
    assert published(session, draft_id, keepers.other, date(2027, 12, 31)) == 2


def test_what_was_published_or_put_away_never_changes(session):
    keepers = some_keepers(session)
    draft_id, other_id = a_draft(session, keepers.one), a_draft(session, keepers.one)
    published(session, draft_id, keepers.other)
    for _ in range(2):
        discard_draft(session, standard_id=other_id, actor=keepers.one, now=NOON)
    for each in (draft_id, other_id):
        with pytest.raises(NotADraftStandard):
            changed(session, each, keepers.one, 12)
        with pytest.raises(NotADraftStandard):
            published(session, each, keepers.other)
    with pytest.raises(NotADraftStandard):
        discard_draft(session, standard_id=draft_id, actor=keepers.one, now=NOON)
    assert standard_line(session, other_id).state == "discarded"


def test_nobody_changes_or_publishes_what_they_have_not_seen(session):
    keepers = some_keepers(session)
    draft_id = a_draft(session, keepers.one)
    seen = digest_of(content_of(session, draft_id))
    changed(session, draft_id, keepers.one, 12)
    with pytest.raises(DraftChanged):
        changed(session, draft_id, keepers.other, 13, seen)
    with pytest.raises(DraftChanged):
        published(session, draft_id, keepers.other, seen=seen)
    # The same change once more is no change.
    assert changed(session, draft_id, keepers.one, 12, seen)


def test_an_item_keeps_its_category_over_all_versions(session):
    keepers = some_keepers(session)
    content = content_of(session, standard_on(session, TODAY).id)
    content["items"][0]["category"] = "post_service"
    with pytest.raises(BadStandard) as refused:
        a_draft(session, keepers.one, content)
    assert refused.value.facts["problems"][0]["place"] == "items[1].category"


@pytest.mark.parametrize("role", ["secretary", "auditor", "organizer"])
def test_only_administrators_of_everything(session, role):
    place = an_organization(session)
    an_organization(session, code="999999999999", name="别处")
    path = session.execute(text("SELECT path FROM organization WHERE id = :i"), {"i": place})
    below = Actor(1, "", place, 0, (Grant("administrator", path.scalar_one()),))
    for actor in (below, Actor(1, "", place, 0, (Grant(role, "/"),))):
        with pytest.raises(StandardsForWhole):
            a_draft(session, actor)
        with pytest.raises(StandardsForWhole):
            published(session, standard_on(session, TODAY).id, actor)


def test_unknown_drafts_and_too_many(session, monkeypatch):
    keepers = some_keepers(session)
    with pytest.raises(StandardNotFound):
        discard_draft(session, standard_id=999, actor=keepers.one, now=NOON)
    monkeypatch.setattr(drafting, "DRAFTS_MAX", 3)
    for _ in range(3):
        a_draft(session, keepers.one)
    with pytest.raises(TooManyDrafts):
        draft_standard(session, actor=keepers.one, plain={}, today=TODAY, now=NOON)


def in_time(act):
    def contestant():
        with transaction() as session:
            return act(session)

    return contestant


def publishing_race(app, writing):
    """Let four drafts of one person be published by another at once."""
    with writing() as session:
        keepers = some_keepers(session)
        drafts = [a_draft(session, keepers.one) for _ in range(4)]
    return race(
        app,
        [
            in_time(lambda session, each=each: published(session, each, keepers.other))
            for each in drafts
        ],
    )


def versions(session):
    found = session.scalars(select(ScoringStandard).where(ScoringStandard.version.is_not(None)))
    return sorted((each.version, each.valid_from, each.valid_to) for each in found)


def test_of_many_who_publish_at_once_one_does(app, writing):
    answers = publishing_race(app, writing)
    assert [each for each in answers if isinstance(each, int)] == [2]
    refused = {type(each) for each in answers if not isinstance(each, int)}
    assert refused <= {PublishedMeanwhile, BadValidFrom}
    with writing() as session:
        first, second = versions(session)
    assert (first[2], second[1], second[2]) == (SOON, SOON, None)


@pytest.mark.engine("postgresql")
def test_control_without_the_guard_only_the_tables_refuse(app, writing, monkeypatch):
    """All go on to publish then; what stops them are constraints, with a fault."""
    everyone_has_read = threading.Barrier(4, timeout=MEET_SECONDS_MAX)
    read = drafting.newest_published

    def read_and_wait(session):
        newest = read(session)
        everyone_has_read.wait()
        return newest

    monkeypatch.setattr(drafting, "newest_published", read_and_wait)
    forget_guard(monkeypatch, drafting, "END_BEFORE", "valid_to IS NULL")
    answers = publishing_race(app, writing)
    refused = {type(each) for each in answers if not isinstance(each, int)}
    assert refused == {IntegrityError}


def editing_race(app, writing):
    """Let four change one draft at once, each as they saw it at first."""
    with writing() as session:
        keepers = some_keepers(session)
        draft_id = a_draft(session, keepers.one)
        seen = digest_of(content_of(session, draft_id))
    return race(
        app,
        [
            in_time(
                lambda session, each=each: changed(session, draft_id, keepers.one, each, seen)
            )
            for each in (11, 12, 13, 14)
        ],
    )


def test_of_many_who_change_at_once_one_does(app, writing):
    answers = editing_race(app, writing)
    assert sum(isinstance(each, str) for each in answers) == 1
    assert {type(each) for each in answers if not isinstance(each, str)} == {DraftChanged}


@pytest.mark.engine("postgresql")
def test_control_without_the_lock_a_change_is_lost(app, writing, monkeypatch):
    """All have read the same draft before one writes; each writes over the one before."""
    forget_lock(monkeypatch, drafting, ScoringStandard.state)
    meet_after(monkeypatch, drafting, "_locked_draft", 4)
    answers = editing_race(app, writing)
    assert all(isinstance(each, str) for each in answers), answers
    assert len(set(answers)) == 4
