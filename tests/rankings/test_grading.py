"""Grades: the rules advise, two of the committee at least decide, nobody in their own case."""

import threading
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from pointsbank.appraisals.models import Exemption, Veto
from pointsbank.core.audit import AuditEntry
from pointsbank.core.db import transaction
from pointsbank.rankings import grading
from pointsbank.rankings.grade_notices import draft_grade_notice
from pointsbank.rankings.grading import (
    Opinion,
    majority_of,
    open_review,
    say_grade,
)
from pointsbank.rankings.grading_errors import (
    CaseDecided,
    CaseNotDecided,
    CaseNotFound,
    GradesAreYearly,
    NoMajority,
    OwnCase,
    ReasonNeeded,
    ReviewExists,
    ReviewNotFound,
    ReviewNotOpen,
)
from pointsbank.rankings.models import GradeCase, GradeReview, GradeVoice
from tests.builders import how_many
from tests.racing import MEET_SECONDS_MAX, forget_lock, meet_after, race
from tests.rankings.closings import (
    AFTER_YEAR,
    DURING,
    SOME_DAY,
    YEAR,
    Branch,
    ask,
    close,
    decide,
)
from tests.rankings.sittings import Sitting


@pytest.fixture
def sitting(writing):
    with writing() as session:
        return Sitting(session)


def test_each_member_has_a_case_with_the_advice_of_the_rules(sitting, session):
    assert sitting.case(session, sitting.members[0]) == ("qualified", None, "", 1)
    assert sitting.case(session, sitting.members[4]) == ("unqualified", None, "", 1)
    assert how_many(session, GradeCase) == 5


def confirmed(session, branch, model, **more):
    session.add(
        model(
            organization_id=branch.id,
            state="confirmed",
            entered_by_id=branch.secretary,
            entered_at=DURING,
            confirmed_by_id=branch.second,
            decided_at=DURING,
            **more,
        )
    )
    session.flush()


def test_a_veto_advises_unqualified_and_who_is_exempt_has_no_case(writing):
    with writing() as session:
        branch = Branch(session)
        for item, hundredths in (("theme_day", 3000), ("study_session", 1500)):
            branch.entry(session, branch.members[0], hundredths, item)
        confirmed(
            session,
            branch,
            Veto,
            member_id=branch.members[0],
            reason_code="discipline",
            reason="处分",
            document_no="2026-1",
            occurred_on=SOME_DAY,
        )
        confirmed(
            session,
            branch,
            Exemption,
            member_id=branch.members[1],
            reason_code="long_illness",
            from_on=SOME_DAY,
        )
        close(session, branch, YEAR, AFTER_YEAR)
        open_review(
            session,
            organization_id=branch.id,
            period="2026",
            actor=branch.actor(branch.second),
            now=AFTER_YEAR,
        )
        cases = dict(session.execute(select(GradeCase.member_id, GradeCase.advised)).all())
    assert cases[branch.members[0]] == "unqualified"
    assert branch.members[1] not in cases


def test_a_decision_needs_two_voices_and_more_than_half(sitting, writing):
    member = sitting.members[0]
    with writing() as session:
        sitting.say(session, member, "qualified", sitting.second)
        with pytest.raises(NoMajority):
            sitting.decide_on(session, member, "qualified")
        sitting.say(session, member, "basic", sitting.third, "两次缺席")
        with pytest.raises(NoMajority):
            sitting.decide_on(session, member, "qualified")
        sitting.say(session, member, "qualified", sitting.secretary)
        with pytest.raises(NoMajority):
            sitting.decide_on(session, member, "basic", reason="两次缺席")
        sitting.decide_on(session, member, "qualified")
        assert sitting.case(session, member).grade == "qualified"


@pytest.mark.parametrize(
    ("voices", "grade"),
    [
        ((), None),
        (("basic",), None),
        (("basic", "basic"), "basic"),
        (("basic", "excellent"), None),
        (("basic", "basic", "excellent"), "basic"),
        (("basic", "basic", "excellent", "qualified"), None),
    ],
)
def test_a_majority_is_more_than_half_of_two_voices_at_least(voices, grade):
    assert majority_of(voices) == grade


def test_another_grade_than_the_advised_one_needs_a_reason(sitting, writing):
    member = sitting.members[0]
    with writing() as session:
        with pytest.raises(ReasonNeeded):
            sitting.say(session, member, "excellent", sitting.second)
        for by in (sitting.second, sitting.third):
            sitting.say(session, member, "excellent", by, "抗台冲在前")
        with pytest.raises(ReasonNeeded):
            sitting.decide_on(session, member, "excellent")
        sitting.decide_on(session, member, "excellent", reason="抗台冲在前")
        assert sitting.case(session, member)[:3] == ("qualified", "excellent", "抗台冲在前")


def test_nobody_says_or_decides_anything_in_their_own_case(sitting, writing):
    member = sitting.members[0]
    with writing() as session:
        with pytest.raises(OwnCase):
            sitting.say(session, member, "excellent", member, "我自己")
        for by in (sitting.second, sitting.third):
            sitting.say(session, member, "qualified", by)
        with pytest.raises(OwnCase):
            sitting.decide_on(session, member, "qualified", by=member)
        with pytest.raises(OwnCase):
            sitting.ask_again(session, member, by=member)


def test_the_database_itself_refuses_a_voice_in_ones_own_case(sitting, writing):
    with pytest.raises(IntegrityError, match="recusal"), writing() as session:
        session.add(
            GradeVoice(
                review_id=sitting.review_id,
                member_id=sitting.members[0],
                voter_id=sitting.members[0],
                round=1,
                grade="excellent",
                said_at=AFTER_YEAR,
            )
        )


def test_who_says_something_else_has_changed_their_mind(sitting, writing):
    member = sitting.members[0]
    with writing() as session:
        sitting.say(session, member, "basic", sitting.second, "看错了")
        sitting.say(session, member, "qualified", sitting.second)
        sitting.say(session, member, "qualified", sitting.third)
        sitting.decide_on(session, member, "qualified")
        assert how_many(session, GradeVoice) == 2


def test_what_is_decided_takes_no_voice_until_it_is_asked_again(sitting, writing):
    member = sitting.members[0]
    with writing() as session:
        with pytest.raises(CaseNotDecided):
            sitting.ask_again(session, member)
        sitting.agree(session, member, "qualified")
        with pytest.raises(CaseDecided):
            sitting.say(session, member, "qualified", sitting.secretary)
        with pytest.raises(CaseDecided):
            sitting.decide_on(session, member, "qualified")
        sitting.ask_again(session, member)
        assert sitting.case(session, member) == ("qualified", None, "", 2)
        # Voices of the first round do not count in the second, and stay readable.
        with pytest.raises(NoMajority):
            sitting.decide_on(session, member, "qualified")
        assert how_many(session, GradeVoice) == 2


def test_the_last_decision_confirms_the_review(sitting, writing):
    with writing() as session:
        sitting.agree(session, sitting.members[0], "qualified")
        for member in sitting.members[1:]:
            assert sitting.state(session) == "open"
            sitting.agree(session, member, "unqualified")
        assert sitting.state(session) == "confirmed"
        with pytest.raises(CaseDecided):
            sitting.say(session, sitting.members[0], "qualified", sitting.second)


def test_grades_are_begun_once_for_a_closed_year_by_its_own_committee(sitting, writing):
    begin = partial(open_review, organization_id=sitting.id, now=AFTER_YEAR)
    with writing() as session:
        actor = sitting.actor(sitting.second)
        with pytest.raises(ReviewExists):
            begin(session, period="2026", actor=actor)
        close(session, sitting)
        with pytest.raises(GradesAreYearly):
            begin(session, period="2026-Q3", actor=actor)


def test_a_foreign_case_looks_as_if_it_were_not_there(sitting, writing):
    with writing() as session:
        other = Branch(session)
        with pytest.raises(ReviewNotFound):
            say_grade(
                session,
                review_id=sitting.review_id,
                member_id=sitting.members[0],
                opinion=Opinion("qualified", ""),
                actor=other.actor(other.second),
                now=AFTER_YEAR,
            )
        with pytest.raises(CaseNotFound):
            sitting.say(session, other.members[0], "qualified", sitting.second)


def test_a_correction_asks_anew_only_where_the_advice_changed(sitting, writing):
    first, second = sitting.members[:2]
    with writing() as session:
        sitting.agree(session, first, "qualified")
        sitting.agree(session, second, "unqualified")
        for item, hundredths in (
            ("theme_day", 3000),
            ("study_session", 1500),
            ("community_duty", 1500),
        ):
            sitting.entry(session, second, hundredths, item, now=AFTER_YEAR.replace(day=10))
        later = AFTER_YEAR.replace(day=11)
        correction_id = ask(session, sitting, now=later, period=YEAR)
        corrected_id = decide(session, sitting, correction_id, now=later)
        assert sitting.case(session, first) == ("qualified", "qualified", "", 1)
        assert sitting.case(session, second) == ("basic", None, "", 2)
        assert sitting.state(session) == "open"
        assert (
            session.scalar(
                select(GradeReview.snapshot_id).where(GradeReview.id == sitting.review_id)
            )
            == corrected_id
        )


def saying(sitting, member_id, by, grade="qualified", reason=""):
    with transaction() as session:
        sitting.say(session, member_id, grade, by, reason)
    return "said"


def deciding(sitting, member_id, grade="qualified"):
    with transaction() as session:
        sitting.decide_on(session, member_id, grade)
    return "decided"


def test_two_voices_of_one_person_at_once_are_one(app, sitting, writing):
    member = sitting.members[0]
    answers = race(
        app,
        [
            partial(saying, sitting, member, sitting.second, grade, "说明")
            for grade in ("qualified", "basic", "excellent")
        ],
    )
    assert answers == ["said"] * 3
    with writing() as session:
        assert how_many(session, GradeVoice) == 1


def test_a_voice_beside_the_decision_is_counted_or_refused(app, sitting, writing):
    """Three to two would be no decision for it; so the late voice decides which happened."""
    member = sitting.members[0]
    with writing() as session:
        for by in (sitting.second, sitting.third):
            sitting.say(session, member, "qualified", by)
    said, decided = race(
        app,
        [
            partial(saying, sitting, member, sitting.secretary, "basic", "说明"),
            partial(deciding, sitting, member),
        ],
    )
    with writing() as session:
        voices = how_many(session, GradeVoice)
        assert sitting.case(session, member).grade == "qualified"
    assert decided == "decided"
    assert (said, voices) == ("said", 3) or (type(said), voices) == (CaseDecided, 2)


@pytest.mark.engine("postgresql")
def test_without_the_lock_a_voice_comes_after_the_decision(app, sitting, writing, monkeypatch):
    """The control: who has looked before the decision speaks after it, and is not counted."""
    member = sitting.members[0]
    with writing() as session:
        for by in (sitting.second, sitting.third):
            sitting.say(session, member, "qualified", by)
    has_looked, is_decided = threading.Event(), threading.Event()

    def unlocked(session, review_id, member_id):
        row = session.execute(
            select(GradeCase.advised, GradeCase.grade, GradeCase.round).where(
                GradeCase.review_id == review_id, GradeCase.member_id == member_id
            )
        ).one()
        if not has_looked.is_set():
            has_looked.set()
            assert is_decided.wait(MEET_SECONDS_MAX)
        return row

    def decide_then_tell():
        assert has_looked.wait(MEET_SECONDS_MAX)
        try:
            return deciding(sitting, member)
        finally:
            is_decided.set()

    monkeypatch.setattr(grading, "_locked_case", unlocked)
    voice = partial(saying, sitting, member, sitting.secretary, "basic", "说明")
    assert race(app, [voice, decide_then_tell]) == ["said", "decided"]
    with writing() as session:
        counted = select(AuditEntry.facts).where(AuditEntry.action == "decide_grade")
        assert session.scalars(counted).one()["voices"] == 2
        assert how_many(session, GradeVoice) == 3


@pytest.mark.engine("postgresql")
def test_of_the_last_two_decisions_one_confirms(app, sitting, writing):
    *others, last, very_last = sitting.members
    with writing() as session:
        sitting.agree(session, others[0], "qualified")
        for member in others[1:]:
            sitting.agree(session, member, "unqualified")
        for member in (last, very_last):
            for by in (sitting.second, sitting.third):
                sitting.say(session, member, "unqualified", by)
    race(app, [partial(deciding, sitting, each, "unqualified") for each in (last, very_last)])
    with writing() as session:
        assert sitting.state(session) == "confirmed"


@pytest.mark.engine("postgresql")
def test_without_the_lock_of_the_review_nobody_confirms(app, sitting, writing, monkeypatch):
    """The control: each sees the other's case undecided."""
    *others, last, very_last = sitting.members
    with writing() as session:
        sitting.agree(session, others[0], "qualified")
        for member in others[1:]:
            sitting.agree(session, member, "unqualified")
        for member in (last, very_last):
            for by in (sitting.second, sitting.third):
                sitting.say(session, member, "unqualified", by)
    forget_lock(monkeypatch, grading, GradeReview.id)
    meet_after(monkeypatch, grading, "undecided", 2)
    answers = race(
        app, [partial(deciding, sitting, each, "unqualified") for each in (last, very_last)]
    )
    assert answers == ["decided"] * 2
    with writing() as session:
        assert sitting.state(session) == "open"


def test_what_is_final_is_not_asked_again(sitting, writing):
    with writing() as session:
        sitting.agree(session, sitting.members[0], "qualified")
        grading._set_state(session, sitting.review_id, "final")
        with pytest.raises(ReviewNotOpen):
            sitting.ask_again(session, sitting.members[0])


def test_where_nobody_is_graded_the_review_is_not_open_for_ever(writing):
    with writing() as session:
        branch = Branch(session)
        for member_id in branch.members:
            confirmed(
                session,
                branch,
                Exemption,
                member_id=member_id,
                reason_code="over_70",
                from_on=SOME_DAY,
            )
        close(session, branch, YEAR, AFTER_YEAR)
        actor = branch.actor(branch.second)
        review_id = open_review(
            session, organization_id=branch.id, period="2026", actor=actor, now=AFTER_YEAR
        )
        assert (
            draft_grade_notice(
                session, review_id=review_id, reason="", actor=actor, now=AFTER_YEAR
            )
            is None
        )
        assert session.scalar(select(GradeReview.state)) == "final"
