"""A branch's quarter: entries, draft, notice, an objection that is upheld, corrected version 2,
lock and archive; then a stranger computes a rank from the exported workbook."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import func, select

from pointsbank.commands import main
from pointsbank.core import clock
from pointsbank.core.db import reading, transaction
from pointsbank.core.settings import Settings
from pointsbank.notices.models import Notice
from pointsbank.rankings.models import Snapshot
from tests.browser.people import People
from tests.browser.phones import people
from tests.builders import SHANGHAI, a_branch, a_member, a_score_entry
from tests.moments import AHEAD_VARIABLE
from tests.rankings.by_hand import ranks_of, read_book
from tests.serving import free_port, serving
from tests.shelf import shelf_folder

__all__ = ["people"]  # pytest finds fixtures by name

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "reduced_motion": "reduce",
}
DURING = datetime(2026, 8, 20, 10, 0, tzinfo=SHANGHAI)
# The night after the seven that late entries have, in the week after the holidays.
CLOSES = datetime(2026, 10, 8, 0, 50, tzinfo=SHANGHAI)
FORGOTTEN_ON = date(2026, 9, 12)
# Whose base is full stands in the notice; the hours tell them apart.
HOURS = {"王桂兰": 6, "李敏": 3, "陈明": 3, "周芬": 1}
DUTIES = {"theme_day": (3, 300), "study_session": (2, 200), "community_duty": (2, 300)}
IDLE = "周芬"


@pytest.fixture
def live_server(settings: Settings, calendar: "Calendar") -> Iterator[str]:
    """The service, whose clock is the story's and which may show notices."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    shown = replace(settings, port=port, public_url=url, ranking_visibility="published_notice")
    with serving(shown, shelf_folder(), entry="tests.ahead:app") as address:
        yield address


class Calendar:
    """The time of the story, for the service and for this process."""

    def __init__(self, file: Path, settings: Settings) -> None:
        self.file, self.settings = file, settings
        self.ahead = timedelta()
        self.go_to(DURING)

    def go_to(self, moment: datetime) -> None:
        """Let it be this moment."""
        self.ahead = moment - datetime.now(UTC)
        self.file.write_text(str(self.ahead.total_seconds()))

    def now(self) -> datetime:
        """Return the moment of the story."""
        return datetime.now(UTC) + self.ahead

    def job(self, name: str) -> None:
        """Let a job run now, as an operator does by hand."""
        environment = {
            "POINTSBANK_DATABASE_URL": self.settings.database_url,
            "POINTSBANK_SECRET_KEY": self.settings.secret_key,
            "POINTSBANK_ENVIRONMENT": "test",
            "POINTSBANK_ARGON2_CHEAP": "1",
            "POINTSBANK_RANKING_VISIBILITY": "published_notice",
        }
        result = CliRunner().invoke(main, ("jobs", "run", name), env=environment)
        assert result.exit_code == 0, result.output


@pytest.fixture
def calendar(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calendar:
    """The time of the story, in the summer when the work was done."""
    file = tmp_path / "ahead"
    monkeypatch.setenv(AHEAD_VARIABLE, str(file))
    made = Calendar(file, settings)
    monkeypatch.setattr(clock, "now", made.now)
    return made


class Branch:
    """A branch with four members, a secretary and two on its committee."""

    def __init__(self, people: People) -> None:
        self.people = people
        with people.app.app_context(), transaction() as session:
            self.id = a_branch(session, now=DURING - timedelta(days=200))
        here = {"organization_id": self.id}
        self.members = {name: self._joins(name) for name in HOURS}
        self.secretary = people.join("赵书记", "secretary", **here)
        self.administrator = people.join("管理员", "administrator", **here)
        self.committee = [
            people.join(name, "committee", **here) for name in ("钱委员", "孙委员")
        ]
        for name, member_id in self.members.items():
            for _ in range(HOURS[name]):
                self.works(member_id, "volunteer_hour", 50, 10, 60)
            if name != IDLE:
                self._does_duties(member_id)

    def _does_duties(self, member_id: int) -> None:
        for item, (times, hundredths) in DUTIES.items():
            for _ in range(times):
                self.works(member_id, item, hundredths, 0, 0)

    def _joins(self, name: str) -> int:
        with self.people.app.app_context(), transaction() as session:
            return a_member(
                session,
                name,
                self.id,
                kind="party_member",
                now=clock.now() - timedelta(days=30),
            )

    def works(self, member_id: int, item: str, *award: int, on: date | None = None) -> None:
        """Let a settlement write what some work is worth."""
        hundredths, points, minutes = award
        with self.people.app.app_context(), transaction() as session:
            a_score_entry(
                session,
                member_id,
                item,
                hundredths,
                points,
                minutes,
                earned_on=on or clock.now().astimezone(SHANGHAI).date(),
                now=clock.now(),
            )

    def page(self, member_id: int) -> Page:
        """Open somebody's page at a desk."""
        return self.people.page_of(member_id, viewport={"width": 1280, "height": 900})

    def period(self, member_id: int) -> Page:
        """Open the quarter's page as a secretary or committee member sees it."""
        page = self.page(member_id)
        page.goto("/periods")
        page.get_by_role("link", name=re.compile("第三季度")).first.click()
        return page

    def count(self, model: type) -> int:
        """Return how many rows of a table there are."""
        with self.people.app.app_context(), reading() as session:
            return session.scalar(select(func.count()).select_from(model)) or 0

    def notice_id(self) -> int:
        """Return the newest notice."""
        with self.people.app.app_context(), reading() as session:
            return session.scalar(select(func.max(Notice.id))) or 0


def send(page: Page, button: Locator) -> None:
    """Press a form's button, and wait until the server has done what it asks for."""
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        button.click()


def press(page: Page, action: str) -> None:
    """Press the button of the form that posts to an address ending so."""
    send(page, page.locator(f'form[action$="{action}"] button').first)


def say(page: Page, value: str, **words: str) -> None:
    """Fill a form's fields in, and press the button that means this."""
    for name, text in words.items():
        page.locator(f'[name="{name}"]').first.fill(text)
    send(page, page.locator(f'button[value="{value}"]'))


def test_a_quarter_from_entries_to_the_archive(people: People, calendar: Calendar) -> None:
    branch = Branch(people)
    calendar.go_to(CLOSES)
    calendar.job("closing")
    assert branch.count(Snapshot) >= 1
    first_notice = draft_and_review(branch, calendar)
    objection = li_min_objects(branch, people, first_notice, calendar)
    uphold(branch, objection, calendar)
    correct(branch, calendar)
    second_notice = draft_and_review(branch, calendar)
    assert second_notice > first_notice
    lock_and_archive(branch, people, second_notice, calendar)
    somebody_outside_computes(branch)


def draft_and_review(branch: Branch, calendar: Calendar) -> int:
    """The secretary drafts what is to be shown, a committee member lets it pass."""
    calendar.go_to(calendar.now() + timedelta(hours=9))
    before = branch.notice_id()
    secretary = branch.period(branch.secretary)
    press(secretary, "/notice")
    expect(
        secretary.get_by_role("status").or_(secretary.locator(".flash")).first
    ).to_be_visible()
    drafted = branch.notice_id()
    assert drafted > before
    member = branch.page(branch.committee[0])
    member.goto(f"/notice-desk/{drafted}")
    press(member, "/review")
    expect(member.locator(f'form[action$="/{drafted}/review"]')).to_have_count(0)
    calendar.go_to(calendar.now() + timedelta(days=1))
    calendar.job("notices")
    return drafted


def li_min_objects(branch: Branch, people: People, notice_id: int, calendar: Calendar) -> int:
    """On her phone she reads the notice, and says what is missing."""
    phone = people.page_of(branch.members["李敏"], **PHONE)
    answer = phone.goto(f"/notices/{notice_id}")
    assert answer is not None
    assert answer.headers["x-robots-tag"] == "noindex"
    shown = phone.locator("main").inner_text()
    assert "王*兰" in shown
    assert "王桂兰" not in shown
    phone.goto(f"/notices/{notice_id}/objection")
    phone.locator('[name="reason"]').fill("九月十二日的巡河没有记上")
    send(phone, phone.get_by_role("button", name=re.compile("提交|发送|提出")))
    phone.goto("/me/objections")
    link = phone.get_by_role("link", name=re.compile("巡河")).first
    href = link.get_attribute("href") or ""
    return int(href.rstrip("/").rsplit("/", 1)[1])


def uphold(branch: Branch, objection: int, calendar: Calendar) -> None:
    """One of the committee takes it up, the secretary decides."""
    member = branch.page(branch.committee[1])
    member.goto(f"/objections/{objection}")
    say(member, "accept", reason="我们核对签到记录")
    calendar.go_to(calendar.now() + timedelta(days=1))
    secretary = branch.page(branch.secretary)
    secretary.goto(f"/objections/{objection}")
    say(secretary, "uphold", reason="签到表上有她，漏结算了")


def correct(branch: Branch, calendar: Calendar) -> None:
    """What was forgotten is entered by two people; the quarter is counted anew by two."""
    enter_late(branch)
    before = branch.count(Snapshot)
    secretary = branch.period(branch.secretary)
    secretary.goto(f"/periods/2026-Q3/{branch.id}/correction")
    secretary.locator('[name="reason"]').fill("漏结算一个班次，异议成立")
    press(secretary, "/correction")
    member = branch.page(branch.committee[0])
    member.goto(f"/periods/2026-Q3/{branch.id}/correction")
    shown = member.locator("main").inner_text()
    assert "李敏" in shown
    say(member, "confirm", reason="属实")
    assert branch.count(Snapshot) == before + 1


def enter_late(branch: Branch) -> None:
    """The secretary enters four hours by the list on paper, an administrator confirms."""
    page = branch.page(branch.secretary)
    page.goto("/evaluation-papers/late_entries/new")
    page.locator('[name="volunteer_no"]').fill(branch.people.number_of(branch.members["李敏"]))
    page.locator('[name="item_code"]').select_option("volunteer_hour")
    page.locator('[name="hours"]').fill("4")
    page.locator('[name="occurred_on"]').fill(FORGOTTEN_ON.isoformat())
    page.locator('[name="reason"]').fill("巡河班次漏结算")
    page.locator('[name="document_no"]').fill("签到表九月三号")
    press(page, "/late_entries/new")
    expect(page).to_have_url(re.compile(r"/evaluation-papers/late_entries/\d+$"))
    administrator = branch.page(branch.administrator)
    administrator.goto(page.url)
    say(administrator, "confirm", reason="签到表属实")
    expect(administrator.locator('button[value="confirm"]')).to_have_count(0)


def lock_and_archive(
    branch: Branch, people: People, notice_id: int, calendar: Calendar
) -> None:
    """Three working days pass without a word; it is final, archived and no longer public."""
    stranger = people.stranger(**PHONE)
    answer = stranger.goto(f"/notices/{notice_id}")
    assert answer is not None
    assert answer.status == 200
    calendar.go_to(calendar.now() + timedelta(days=7))
    calendar.job("notices")
    calendar.job("closing")
    answer = stranger.goto(f"/notices/{notice_id}")
    assert answer is not None
    assert answer.status == 404
    shown = branch.period(branch.secretary)
    expect(shown.locator("main")).to_contain_text("已归档")


def somebody_outside_computes(branch: Branch) -> None:
    """From the workbook alone, with a calculator, everybody's score and rank come out."""
    page = branch.period(branch.secretary)
    with page.expect_download() as handed:
        press(page, "/sheet.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(handed.value.path().read_bytes()))
    read = read_book(book)
    assert read["head"]["version"] == 2
    numbers = {name: branch.people.number_of(each) for name, each in branch.members.items()}
    ranks = ranks_of(read)
    computed = {name: ranks[number] for name, number in numbers.items()}
    # A quarter counts four times: an hour is 50; the base is full with 60.
    assert computed == {
        "李敏": (6000 + 7 * 50 * 4, 1),
        "王桂兰": (6000 + 6 * 50 * 4, 2),
        "陈明": (6000 + 3 * 50 * 4, 3),
        "周芬": (1 * 50 * 4, 4),
    }
