"""The quarter's table for the wall: its notice, the closed period, or what is counted."""

import io
from datetime import timedelta

import openpyxl
import pypdfium2
import pytest
import time_machine
from sqlalchemy import select, update

from pointsbank.core.audit import AuditEntry
from pointsbank.members.models import Consent, Member
from pointsbank.notices.models import Notice
from pointsbank.notices.queries import shown_lines
from pointsbank.organizations.queries import organization_of
from pointsbank.rankings.quarter_tables import quarter_table
from pointsbank.rankings.reports_errors import NoTableYet
from pointsbank.rankings.rolling_up import roll_up
from tests.builders import a_member, signed_in, with_role
from tests.counting import statements_of
from tests.rankings.closings import LATER, QUARTER, ZONE, Branch, close, drafted

TODAY = LATER.date()
# Enough of a quarter for a band: 85 of 100 on the year's scale.
ENOUGH = (
    ("theme_day", 750),
    ("study_session", 375),
    ("community_duty", 375),
    ("volunteer_hour", 625),
)


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(LATER, tick=False):
        yield


@pytest.fixture
def branch(writing):
    """王桂兰 and 李敏 reach a band, and 王桂兰 agreed to be named; the others reach none."""
    with writing() as session:
        branch = Branch(session)
        for member_id in branch.members[:2]:
            for item, hundredths in ENOUGH:
                branch.entry(session, member_id, hundredths, item)
        session.add(
            Consent(
                member_id=branch.members[0],
                purpose="publish_name",
                version=1,
                channel="screen",
                recorded_by_id=branch.members[0],
                given_at=LATER,
            )
        )
        return branch


@pytest.fixture
def reader(branch, writing):
    with writing() as session:
        return with_role(session, branch.secretary, "secretary", branch.id)


def table_of(session, branch, today=TODAY):
    place = organization_of(session, branch.id)
    return quarter_table(session, place=place, period=QUARTER, today=today)


def shown(table):
    return [(line.no, line.name, line.band) for line in table.lines]


LINES = [(1, "李*", "75–90"), (2, "王桂兰", "75–90")]


def test_there_is_none_before_anything_is_counted(branch, writing):
    with pytest.raises(NoTableYet), writing() as session:
        table_of(session, branch)


def test_what_is_counted_shows_bands_and_names_by_consent(branch, writing):
    with writing() as session:
        roll_up(session, period=QUARTER, zone=ZONE, now=LATER)
        table = table_of(session, branch)
    assert (table.source, table.unnamed, table.may_hang) == ("standing", 3, False)
    assert shown(table) == LINES


def test_whoever_came_after_the_quarter_lowers_no_count_of_others(branch, writing):
    """Counted by late entries in the branch they came to, though they never were among its
    members of that day."""
    with writing() as session:
        newcomer = a_member(session, "吴新", branch.id, now=LATER)
        for item, hundredths in ENOUGH:
            branch.entry(session, newcomer, hundredths, item, now=LATER)
        roll_up(session, period=QUARTER, zone=ZONE, now=LATER)
        table = table_of(session, branch)
    assert (len(table.lines), table.unnamed) == (3, 3)


def test_the_closed_period_speaks_before_what_is_counted_since(branch, writing):
    with writing() as session:
        close(session, branch)
        branch.entry(session, branch.members[2], 2000, now=LATER)
        roll_up(session, period=QUARTER, zone=ZONE, now=LATER)
        table = table_of(session, branch)
    assert (table.source, table.version, table.unnamed) == ("snapshot", 1, 3)
    assert shown(table) == LINES
    assert len(table.digest) == 64


def closed_and_drafted(session, branch):
    close(session, branch)
    return drafted(session, branch)


def test_the_notice_speaks_before_all(branch, writing):
    with writing() as session:
        notice_id = closed_and_drafted(session, branch)
        table = table_of(session, branch)
        assert (table.source, table.state, table.may_hang) == ("notice", "draft", False)
        lines = shown_lines(session, notice_id)
        assert shown(table) == [(each.no, each.name, each.facts["band"]) for each in lines]
        assert table.unnamed == 3
        session.execute(
            update(Notice)
            .where(Notice.id == notice_id)
            .values(
                state="open",
                reviewed_by_id=branch.second,
                reviewed_at=LATER,
                opened_on=LATER.date(),
                closes_on=LATER.date(),
            )
        )
        assert table_of(session, branch).may_hang
        # The job that locks it may be late; its days are over all the same.
        assert not table_of(session, branch, TODAY + timedelta(days=1)).may_hang
        assert not table_of(session, branch, TODAY - timedelta(days=1)).may_hang
        # Consent that is taken back masks the name in what is printed from then on.
        session.execute(update(Consent).values(withdrawn_at=LATER))
        assert "王*兰" in [line.name for line in table_of(session, branch).lines]


def handed(client, app, reader, branch_code, ending):
    return client.post(
        f"/reports/quarter-table.{ending}",
        data={"period": QUARTER.name, "organization_code": branch_code},
        headers=signed_in(app, reader, LATER),
    )


def code_of(session, branch):
    return organization_of(session, branch.id).code


def test_the_files_say_the_same_as_the_notice(app, client, branch, reader, writing):
    with writing() as session:
        closed_and_drafted(session, branch)
        code = code_of(session, branch)
    rows = list(
        openpyxl.load_workbook(
            io.BytesIO(handed(client, app, reader, code, "xlsx").data)
        ).active.iter_rows(values_only=True)
    )
    assert [row[:3] for row in rows[3:5]] == LINES
    assert "草稿" in rows[0][0]
    answer = handed(client, app, reader, code, "pdf")
    with pypdfium2.PdfDocument(answer.data) as pdf:
        text = "".join(page.get_textpage().get_text_bounded() for page in pdf)
    for words in (
        "2026年第三季度积分公示表",
        "王桂兰",
        "李*",
        "75–90",
        "不得张贴",
        "另有 3 人",
    ):
        assert words in text
    for name in ("李敏", "陈明", "周芬", "何军"):
        assert name not in text
    page = client.get(
        "/reports/quarter-table",
        query_string={"period": QUARTER.name, "organization_code": code},
        headers=signed_in(app, reader, LATER),
    )
    assert "王桂兰" in page.text
    assert "李敏" not in page.text
    with writing() as session:
        actions = session.scalars(
            select(AuditEntry.action).where(AuditEntry.action == "export_quarter_table")
        )
        assert len(list(actions)) == 2


def test_a_name_that_looks_like_a_formula_stays_text(app, client, branch, reader, writing):
    with writing() as session:
        session.execute(
            update(Member).where(Member.id == branch.members[0]).values(name="=1+2")
        )
        closed_and_drafted(session, branch)
        code = code_of(session, branch)
    page = openpyxl.load_workbook(
        io.BytesIO(handed(client, app, reader, code, "xlsx").data)
    ).active
    assert {page["B4"].data_type, page["B5"].data_type} == {"s"}
    assert "'=1+2" in (page["B4"].value, page["B5"].value)


def test_a_period_that_is_no_quarter_and_a_foreign_branch_are_refused(
    app, client, branch, reader
):
    headers = signed_in(app, reader, LATER)
    assert client.get("/reports/quarter-table?period=2026", headers=headers).status_code == 400
    foreign = handed(client, app, reader, "140303001002", "pdf")
    assert foreign.status_code == 404


def test_more_members_ask_no_more(app, branch, writing):
    def asked():
        with writing() as session, statements_of(app) as sent:
            table_of(session, branch)
        return len(sent)

    with writing() as session:
        roll_up(session, period=QUARTER, zone=ZONE, now=LATER)
    few = asked()
    with writing() as session:
        for _ in range(5):
            member_id = a_member(session, "周芬", branch.id)
            for item, hundredths in ENOUGH:
                branch.entry(session, member_id, hundredths, item)
        roll_up(session, period=QUARTER, zone=ZONE, now=LATER)
    assert asked() == few
