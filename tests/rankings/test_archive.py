"""A branch's year as one ZIP: its parts, their digests, who may have it, and that it went."""

import hashlib
import io
import tracemalloc
import zipfile
from collections import deque
from datetime import UTC, datetime

import openpyxl
import pytest
import time_machine
from sqlalchemy import insert, select, update

from pointsbank.appraisals.models import LateEntry
from pointsbank.core.audit import AuditEntry
from pointsbank.core.calendar import read_period
from pointsbank.core.db import reading
from pointsbank.members.models import Member
from pointsbank.notices.drafting import DraftLine, draft_notice
from pointsbank.notices.models import NoticeLine, Objection
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import organization_of
from pointsbank.rankings.archive_words import sheets_of
from pointsbank.rankings.archiving import (
    grades_in,
    meetings_in,
    notice_lines_in,
    notices_in,
)
from pointsbank.rankings.grading import open_review
from pointsbank.rankings.models import GradeCase, GradeReview
from pointsbank.rankings.noticing import draft_ranking_notice
from pointsbank.scoring.models import ScoreEntry
from pointsbank.scoring.queries import standard_on
from pointsbank.scoring.service import negate_entry
from tests.builders import SHANGHAI, a_member, a_score_entry, signed_in, with_role
from tests.counting import statements_of
from tests.rankings.closings import (
    AFTER_YEAR,
    DURING,
    ENTERED_LATE,
    LATER,
    QUARTER,
    SOME_DAY,
    Branch,
    ask,
    close,
    decide,
)

YEAR = read_period("2026")
PARTS = {
    "members",
    "meetings",
    "snapshots",
    "snapshot-lines",
    "corrections",
    "notices",
    "notice-lines",
    "objections",
    "grades",
    "papers",
    "appraisals",
    "stars",
}


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(LATER, tick=False):
        yield


@pytest.fixture
def branch(writing):
    """A quarter that was closed, corrected and put into a notice, with a meeting."""
    with writing() as session:
        branch = Branch(session)
        for item, hundredths in (
            ("theme_day", 750),
            ("study_session", 375),
            ("community_duty", 375),
            ("volunteer_hour", 625),
        ):
            branch.entry(session, branch.members[0], hundredths, item)
        close(session, branch)
        branch.entry(session, branch.members[1], now=ENTERED_LATE)
        decide(session, branch, ask(session, branch))
        draft_ranking_notice(
            session,
            organization_id=branch.id,
            period=QUARTER.name,
            visibility="published_notice",
            actor=branch.actor(branch.secretary, "secretary"),
            now=LATER,
        )
        with_role(session, branch.secretary, "secretary", branch.id)
        branch.code = organization_of(session, branch.id).code
        return branch


def taken(client, app, branch, by=None, year="2026", code=None):
    answer = client.post(
        "/reports/archive.zip",
        data={"organization_code": code or branch.code, "year": year},
        headers=signed_in(app, by or branch.secretary, LATER),
    )
    answer.get_data()
    answer.close()
    return answer


def part_of(packed, branch, name):
    inside = packed.read(f"{branch.code}-2026-{name}.xlsx")
    page = openpyxl.load_workbook(io.BytesIO(inside)).active
    return [list(row) for row in page.iter_rows(values_only=True)][2:]


def test_the_archive_holds_every_part_with_its_digest(app, client, branch, writing):
    answer = taken(client, app, branch)
    assert answer.status_code == 200, answer.text
    packed = zipfile.ZipFile(io.BytesIO(answer.data))
    names = {f"{branch.code}-2026-{part}.xlsx" for part in PARTS}
    assert set(packed.namelist()) == names | {"SHA256SUMS"}
    sums = dict(
        reversed(line.split("  ")) for line in packed.read("SHA256SUMS").decode().splitlines()
    )
    assert set(sums) == names
    for name, digest in sums.items():
        assert hashlib.sha256(packed.read(name)).hexdigest() == digest
    with writing() as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "export_archive")
        ).one()
        assert entry.actor_id == branch.secretary
        assert entry.facts == {
            "year": "2026",
            "manifest": hashlib.sha256(packed.read("SHA256SUMS")).hexdigest(),
        }


def test_its_parts_say_what_the_tables_say(app, client, branch):
    packed = zipfile.ZipFile(io.BytesIO(taken(client, app, branch).data))
    members = part_of(packed, branch, "members")
    assert members[0][:2] == ["志愿者编号", "姓名"]
    by_name = {row[1]: row[3:6] for row in members[1:]}
    # Entries, service minutes, points: four hours and one of each other item.
    assert by_name["王桂兰"] == [8, 480, 80]
    assert by_name["何军"] == [0, 0, 0]
    snapshots = part_of(packed, branch, "snapshots")
    assert [row[:2] for row in snapshots[1:]] == [["2026-Q3", 1], ["2026-Q3", 2]]
    assert snapshots[2][9] == "漏记一次服务"
    lines = part_of(packed, branch, "snapshot-lines")
    assert len(lines) == 1 + 2 * 5
    assert lines[1][10] == 85
    assert part_of(packed, branch, "corrections")[1][3] == "已确认"
    assert part_of(packed, branch, "notice-lines")[1][2:] == ["王*兰", "band: 75–90"]
    assert part_of(packed, branch, "meetings")[1:] == [["2026-09-01", "河道清洁", 1]]


@pytest.mark.parametrize("year", ["", "26", "2026-Q4", "1999", "20a6", "２０２６"])
def test_a_year_is_a_year(app, client, branch, year):
    answer = taken(client, app, branch, year=year)
    assert answer.status_code == 400


def test_only_who_keeps_the_branchs_files_may_have_it(app, client, branch, writing):
    with writing() as session:
        auditor = with_role(session, a_member(session), "auditor")
        member = branch.members[0]
    assert taken(client, app, branch, by=auditor).status_code == 403
    assert taken(client, app, branch, by=member).status_code == 403
    assert taken(client, app, branch, code="140303001002").status_code == 404
    with writing() as session:
        noted = select(AuditEntry).where(AuditEntry.action == "export_archive")
        assert session.scalars(noted).first() is None


def drafted_at(session, branch, now, subject, kind="post", facts=None):
    return draft_notice(
        session,
        kind=kind,
        subject=subject,
        organization_id=branch.id,
        title="岗位公示",
        facts=facts or {"task": "巡河", "from_on": "2026-10-01"},
        lines=[DraftLine(branch.members[0], None, {"post": "巡河员"})],
        drafted_by_id=branch.secretary,
        now=now,
    )


def test_notices_that_name_no_year_are_of_the_year_they_were_drafted_in(branch, writing):
    with writing() as session:
        # By the wall clock of the branch: the first hour of 2026, the last of it, and after.
        first, last, after = (
            drafted_at(session, branch, datetime(*moment, tzinfo=UTC), f"post:{no}")
            for no, moment in enumerate(
                ((2025, 12, 31, 16), (2026, 12, 31, 15, 59), (2026, 12, 31, 16)), start=2025
            )
        )
    with writing() as session:
        found = [row[0] for row in notices_in(session, branch.id, YEAR, SHANGHAI)]
        lines = [row[0] for row in notice_lines_in(session, branch.id, YEAR, SHANGHAI)]
    assert {first, last} < set(found)
    assert after not in found
    assert {first, last} < set(lines)


def a_paper(session, branch, **more):
    session.add(
        LateEntry(
            member_id=branch.members[0],
            organization_id=branch.id,
            reason="巡河没有结算",
            state="refused",
            entered_by_id=branch.secretary,
            entered_at=DURING,
            confirmed_by_id=branch.second,
            decided_at=DURING,
            decision_reason="没有签到表",
            item_code="volunteer_hour",
            times=1,
            service_minutes=120,
            hundredths=100,
            occurred_on=SOME_DAY,
            document_no="签到表3号",
        )
    )
    session.flush()


def test_late_entries_are_among_its_papers(app, client, branch, writing):
    with writing() as session:
        a_paper(session, branch)
    packed = zipfile.ZipFile(io.BytesIO(taken(client, app, branch).data))
    heads, row = part_of(packed, branch, "papers")
    assert row[0] == "补录"
    assert row[2:8] == ["王桂兰", "2026-09-01", None, 1, 120, "签到表3号"]
    assert len(heads) == len(row)


def test_who_takes_it_reads_no_objection_to_their_own_line(app, client, branch, writing):
    """Who objects is safe from whom it concerns, also where that is the secretary."""
    with writing() as session:
        notice_id = drafted_at(session, branch, LATER, "post:1")
        for line_no, reason in ((1, "说的是他人"), (None, "整份公示有误")):
            session.add(an_objection(notice_id, line_no, reason))
        session.execute(
            update(NoticeLine)
            .where(NoticeLine.notice_id == notice_id)
            .values(member_id=branch.secretary)
        )
    own = zipfile.ZipFile(io.BytesIO(taken(client, app, branch).data))
    assert [row[2] for row in part_of(own, branch, "objections")[1:]] == ["整份公示有误"]
    with writing() as session:
        with_role(session, branch.third, "administrator", branch.id)
    others = zipfile.ZipFile(io.BytesIO(taken(client, app, branch, by=branch.third).data))
    assert len(part_of(others, branch, "objections")) == 3


def an_objection(notice_id, line_no, reason):
    return Objection(
        notice_id=notice_id,
        line_no=line_no,
        objector_id=None,
        reason=reason,
        facts="十月一日上午他并不在河边",
        raised_at=LATER,
        answer_by=LATER.date(),
        decide_by=LATER.date(),
        state="raised",
    )


def test_who_takes_it_reads_their_own_grade_once_it_is_shown(branch, writing):
    with writing() as session:
        close(session, branch, YEAR, AFTER_YEAR)
        actor = branch.actor(branch.second)
        review_id = open_review(
            session, organization_id=branch.id, period="2026", actor=actor, now=AFTER_YEAR
        )
        session.execute(
            update(GradeCase)
            .where(GradeCase.member_id == branch.members[0])
            .values(
                grade="basic",
                reason="委员会的理由",
                decided_by_id=branch.second,
                decided_at=AFTER_YEAR,
            )
        )

    def graded(reader_id):
        with writing() as session:
            rows = list(grades_in(session, branch.id, YEAR, reader_id))
        (row,) = [each for each in rows if each[3] == "王桂兰"]
        return row[5:7]

    assert graded(branch.secretary) == ("basic", "委员会的理由")
    assert graded(branch.members[0]) == (None, "")
    with writing() as session:
        session.execute(
            update(GradeReview).where(GradeReview.id == review_id).values(state="noticed")
        )
    assert graded(branch.members[0]) == ("basic", "委员会的理由")


def test_a_meeting_that_was_struck_out_counts_nobody(branch, writing):
    with writing() as session:
        entry_id = branch.entry(session, branch.members[1], 300, "theme_day")
        cause = session.scalar(select(ScoreEntry.cause).where(ScoreEntry.id == entry_id))
        assert list(meetings_in(session, branch.id, YEAR)) == [(SOME_DAY, "河道清洁", 2)]
        negate_entry(session, cause="reject:1", of_cause=cause, now=LATER)
        assert list(meetings_in(session, branch.id, YEAR)) == [(SOME_DAY, "河道清洁", 1)]


def read_all(session, branch):
    parts = sheets_of(
        session,
        place_id=branch.id,
        place="支部",
        year=YEAR,
        reader_id=branch.secretary,
        zone=SHANGHAI,
    )
    return sum(1 for _, sheet in parts for _ in sheet.rows)


def test_more_rows_ask_no_more(app, branch, writing):
    def asked():
        with app.test_request_context(), reading() as session, statements_of(app) as sent:
            read_all(session, branch)
        return len(sent)

    few = asked()
    with writing() as session:
        for _ in range(20):
            member_id = a_member(session, "周芬", branch.id)
            a_score_entry(session, member_id, earned_on=SOME_DAY, now=DURING)
    assert asked() == few


def meetings_of(session, branch, count):
    """Write so many meetings to which the same person came."""
    item_id = standard_on(session, SOME_DAY).item("theme_day").id
    rows = [
        {
            "cause": f"meeting:{no}",
            "member_id": branch.members[0],
            "organization_id": branch.id,
            "item_id": item_id,
            "category": "organization_life",
            "evaluation_hundredths": 1,
            "points": 0,
            "service_minutes": 0,
            "title": f"第 {no} 次会议",
            "earned_on": SOME_DAY,
            "recorded_at": DURING,
        }
        for no in range(count)
    ]
    session.execute(insert(ScoreEntry), rows)


def peak_of(consume, session, branch):
    tracemalloc.start()
    try:
        consume(meetings_in(session, branch.id, YEAR))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.engine("sqlite")
def test_rows_pass_without_being_kept(app, branch, writing):
    """Beside a list of the same rows as the control, which keeps them all."""
    with writing() as session:
        meetings_of(session, branch, 12_000)
    with app.app_context(), reading() as session:
        passing = peak_of(lambda rows: deque(rows, maxlen=0), session, branch)
        keeping = peak_of(list, session, branch)
    assert 4 * passing < keeping, (passing, keeping)


def test_no_cell_of_the_archive_is_a_formula(app, client, branch, writing):
    """Every part of it, with names and places that begin one."""
    with writing() as session:
        session.execute(update(Member).values(name="=1+1"))
        session.execute(update(Organization).values(name="+SUM(A1)"))
    packed = zipfile.ZipFile(io.BytesIO(taken(client, app, branch).data))
    words = set()
    for name in packed.namelist():
        if not name.endswith(".xlsx"):
            continue
        for sheet in openpyxl.load_workbook(io.BytesIO(packed.read(name))):
            for cell in (cell for row in sheet.iter_rows() for cell in row):
                assert cell.data_type != "f", (name, cell.coordinate)
                words.add(cell.value)
    assert "'=1+1" in words
    assert not {"=1+1", "+SUM(A1)"} & words
