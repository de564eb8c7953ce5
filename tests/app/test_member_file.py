"""A member's file: what it holds, who sees it, that opening is written down, and its cost."""

from datetime import date
from io import BytesIO

import pypdfium2
import pytest
from sqlalchemy import select, update

from pointsbank.app.member_file import file_of
from pointsbank.core.audit import AuditEntry
from pointsbank.core.calendar import read_period
from pointsbank.members.belonging import move_member
from pointsbank.rankings.grading import open_review
from pointsbank.rankings.models import GradeCase, GradeReview
from pointsbank.rankings.rolling_up import roll_up
from tests.builders import (
    SHANGHAI,
    a_branch,
    a_member,
    a_score_entry,
    how_many,
    points_spent,
    signed_in,
    with_points,
    with_role,
)
from tests.certificates.starring import a_home, an_award, with_hours
from tests.counting import statements_of
from tests.members.honoured import confirmed_by, recorded_by
from tests.moments import NOON
from tests.rankings.closings import (
    AFTER_YEAR,
    CLOSES,
    ENTERED_LATE,
    QUARTER,
    YEAR,
    Branch,
    ask,
    close,
    decide,
)


@pytest.fixture
def home(writing):
    with writing() as session:
        return a_home(session)


@pytest.fixture
def member_id(writing, home):
    """A member with hours of two years, points, an honour and a star."""
    with writing() as session:
        member = a_member(session, "欧阳建国", home.branch_id, phone="13800001234")
        with_hours(session, member, 120, on=date(2025, 3, 1))
        a_score_entry(session, member, service_minutes=90)
        with_points(session, member, 100)
        points_spent(session, member, 30, "spend:1")
        honour = recorded_by(session, home.secretary_id, member)
        confirmed_by(session, home.administrator_id, member, honour)
        an_award(session, home, member)
        return member


def read(session, member_id, year=None):
    return file_of(session, member_id, year=year, zone=SHANGHAI, now=NOON)


def test_everything_by_section_and_by_date(writing, member_id):
    with writing() as session:
        file = read(session, member_id)
    assert [(each.year, each.minutes) for each in file.hours] == [(2026, 90), (2025, 7200)]
    assert (file.minutes, file.balance.available) == (7290, 70)
    sums = {each.kind: (each.came_in, each.went_out) for each in file.sums}
    assert sums == {"earn": (100, 0), "spend": (0, 30)}
    assert [each.title for each in file.honours] == ["优秀志愿者"]
    assert [(each.stars, each.state) for each in file.stars] == [(1, "awarded")]
    kinds = [each.kind for each in file.timeline]
    assert {"entry", "honour", "star"} <= set(kinds)
    days = [each.on for each in file.timeline]
    assert days == sorted(days, reverse=True)
    assert {each.year for each in days} == {2026}
    assert set(file.years) >= {2025, 2026}


def test_another_year_lists_its_own_days(writing, member_id):
    with writing() as session:
        file = read(session, member_id, 2025)
    assert {each.on for each in file.timeline} == {date(2025, 3, 1)}
    assert file.minutes == 7290


def test_the_page_shows_a_masked_phone_and_no_merchant(app, member_id):
    client = app.test_client()
    page = client.get("/api/v1/me/file", headers=signed_in(app, member_id))
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "138****1234" in text
    assert "13800001234" not in text
    assert "大米" not in text


def opened(app, who, member_id):
    path = f"/api/v1/members/{member_id}/file"
    return app.test_client().post(path, json={}, headers=signed_in(app, who))


def test_only_the_secretary_opens_it_and_each_time_is_written_down(
    app, writing, home, member_id
):
    with writing() as session:
        others = [
            with_role(session, a_member(session, role, home.branch_id), role, home.branch_id)
            for role in ("organizer", "auditor", "committee")
        ]
        before = how_many(session, AuditEntry)
    for who in (home.administrator_id, *others):
        assert opened(app, who, member_id).status_code == 403
    for _ in range(2):
        assert opened(app, home.secretary_id, member_id).status_code == 200
    with writing() as session:
        rows = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "member_file_opened")
        ).all()
        assert [(each.actor_id, each.subject_id) for each in rows] == [
            (home.secretary_id, member_id)
        ] * 2
        assert how_many(session, AuditEntry) == before + 2


def test_a_secretary_of_another_branch_does_not_find_it(app, writing, home, member_id):
    with writing() as session:
        beside = a_branch(session, "B9", home.community_id)
        other = with_role(session, a_member(session, "旁人", beside), "secretary", beside)
        neighbour = a_member(session, "李四", home.branch_id)
    assert opened(app, other, member_id).status_code == 404
    assert opened(app, neighbour, member_id).status_code == 403


def test_the_paper_holds_what_the_page_holds(app, member_id):
    client = app.test_client()
    made = client.get("/me/file.pdf?year=2026", headers=signed_in(app, member_id))
    assert made.mimetype == "application/pdf"
    pdf = pypdfium2.PdfDocument(BytesIO(made.data))
    text = "".join(page.get_textpage().get_text_range() for page in pdf)
    for word in ("欧阳建国", "优秀志愿者", "138****1234", "河道清洁"):
        assert word in text
    pdf.close()


def test_what_it_costs_does_not_grow_with_its_rows(app, writing, member_id):
    def cost():
        with statements_of(app) as sent, writing() as session:
            read(session, member_id)
        return len(sent)

    first = cost()
    with writing() as session:
        for n in range(20):
            a_score_entry(session, member_id, earned_on=date(2026, 1 + n % 11, 5))
            points_spent(session, member_id, 1, f"spend:more:{n}")
    assert cost() == first


def sections(app, who, member_id=None):
    """Return the rows of evaluations by period, as one reads their own or another's."""
    client, headers = app.test_client(), signed_in(app, who)
    answer = (
        client.get("/api/v1/me/file", headers=headers)
        if member_id is None
        else client.post(f"/api/v1/members/{member_id}/file", json={}, headers=headers)
    )
    (found,) = [each for each in answer.json["sections"] if each["title"] == "各期评价分"]
    return [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]


def test_a_closed_period_is_shown_as_it_is_frozen_and_a_running_one_as_it_stands(writing):
    with writing() as session:
        branch = Branch(session)
        member = branch.members[3]
        close(session, branch)
        # It came after the closing: the roll-up has it, the file once it is corrected.
        branch.entry(session, member, 300, now=ENTERED_LATE)
        branch.entry(session, member, 50, earned_on=NOON.date(), now=NOON)
        for name in ("2026-Q3", "2026-Q4", "2026", "2026-09", "2026-11"):
            roll_up(session, period=read_period(name), zone=SHANGHAI, now=NOON)
    with writing() as session:
        shown = {each.period: each for each in read(session, member).evaluations}
        # A month that is over is closed within its quarter.
        assert list(shown) == ["2026-Q4", "2026-Q3", "2026-11", "2026"]
        frozen = shown["2026-Q3"]
        assert (frozen.state, frozen.version, frozen.hundredths) == ("closed", 1, 200)
        # Grades are given for a whole year.
        assert frozen.advised is None
        assert {shown[each].state for each in ("2026", "2026-Q4", "2026-11")} == {"running"}
        decide(session, branch, ask(session, branch))
    with writing() as session:
        shown = {each.period: each for each in read(session, member).evaluations}
        assert (shown["2026-Q3"].version, shown["2026-Q3"].hundredths) == (2, 1400)


def test_what_is_over_and_not_closed_is_said_to_be(writing):
    with writing() as session:
        branch = Branch(session)
        roll_up(session, period=QUARTER, zone=SHANGHAI, now=CLOSES)
        (found,) = read(session, branch.members[0]).evaluations
        assert (found.state, found.version, found.advised) == ("over", None, None)


def test_a_place_is_shown_to_the_secretary_alone_and_of_their_branch(app, writing):
    with writing() as session:
        branch = Branch(session)
        close(session, branch)
        elsewhere = a_branch(session, "B9")
        secretary = with_role(session, branch.secretary, "secretary", branch.id)
        other = with_role(session, branch.second, "secretary", elsewhere)
    member = branch.members[1]
    (own,) = sections(app, member)
    assert "名次" not in own
    (opened_one,) = sections(app, secretary, member)
    assert (opened_one["名次"], opened_one["评价分"]) == ("2", "4")
    with writing() as session:
        move_member(
            session,
            member_id=member,
            organization_id=elsewhere,
            grid_id=None,
            on=NOON.date(),
            now=NOON,
        )
    # The next branch's secretary reads the file, and not the place among people of another.
    (opened_there,) = sections(app, other, member)
    assert "名次" not in opened_there


def test_the_confirmed_grade_stands_beside_the_advised_one(writing):
    with writing() as session:
        branch = Branch(session)
        member = branch.members[0]
        close(session, branch, YEAR, AFTER_YEAR)
        review_id = open_review(
            session,
            organization_id=branch.id,
            period=YEAR.name,
            actor=branch.actor(branch.secretary),
            now=AFTER_YEAR,
        )
        session.execute(
            update(GradeCase)
            .where(GradeCase.review_id == review_id, GradeCase.member_id == member)
            .values(
                grade="basic",
                reason="参加了救灾",
                decided_by_id=branch.secretary,
                decided_at=AFTER_YEAR,
            )
        )
        file = file_of(session, member, year=2026, zone=SHANGHAI, now=AFTER_YEAR)
        # Until it is shown in public nobody reads it.
        assert (file.evaluations[0].advised, file.grades) == ("unqualified", [])
        for state in ("confirmed", "noticed"):
            session.execute(
                update(GradeReview).where(GradeReview.id == review_id).values(state=state)
            )
        file = file_of(session, member, year=2026, zone=SHANGHAI, now=AFTER_YEAR)
        assert [each.grade for each in file.grades] == ["basic"]
