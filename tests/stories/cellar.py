"""Two hundred people of an event in a cellar, what each holds up, and the time that passes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.codes import Purpose, url_of
from pointsbank.core.db import transaction
from pointsbank.core.keys import draw_bytes
from pointsbank.members.codes import CARD_NUMBER_BYTES, GENERAL, card_text, personal_text
from pointsbank.members.models import Member
from pointsbank.members.showing import issue_card
from pointsbank.tasks.drafting import Details, NewShift, draft_task
from pointsbank.tasks.models import Shift
from pointsbank.tasks.publishing import approve_task, publish_task
from tests.browser.people import PASSWORD, People
from tests.browser.scanner_gun import TYPE_LIKE_A_GUN
from tests.builders import (
    COMMUNITY_CODE,
    SHANGHAI,
    a_claim,
    a_member,
    a_plan,
    an_organization,
    shifts_of,
    with_role,
)

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何罗"
GIVEN = (
    "桂兰",
    "海燕",
    "国强",
    "建国",
    "秀英",
    "玉梅",
    "志明",
    "淑珍",
    "德福",
    "春花",
    "文斌",
    "改花",
)
PLACES = 210
# The next person stands before the station so much later.
SECONDS_APART = 5
# What phones show is computed for so many at a time: codes run out while a slow machine scans.
AT_A_TIME = 20
WHO_MAY_COME = {"rule": "kind", "in": ["volunteer", "party_member"]}

# A page's own clock, ahead of the device's by what the story says.
PAGE_CLOCK = """
globalThis.aheadMs = 0;
globalThis.Date = class extends Date {
    constructor(...parts) { parts.length ? super(...parts) : super(Date.now()); }
    static now() { return super.now() + aheadMs; }
};
"""


@dataclass
class StoryTime:
    """The time of a story: the service and the station's page are as far ahead as it says."""

    file: Path
    ahead: timedelta = timedelta()
    pages: list[Page] = field(default_factory=list)

    def now(self) -> datetime:
        """Return the moment of the story."""
        return clock.now() + self.ahead

    def rules(self, context: BrowserContext) -> None:
        """Let the pages that a context opens from now on live in the story's time."""
        context.add_init_script(PAGE_CLOCK + self._set())

    def _set(self) -> str:
        return f"globalThis.aheadMs = {self.ahead / timedelta(milliseconds=1):.0f};"

    def pass_until(self, ahead: timedelta, page: Page) -> None:
        """Let time pass, for the service, for this page, and for what it loads next."""
        self.ahead = ahead
        self.file.write_text(str(ahead.total_seconds()))
        page.evaluate(self._set())
        page.add_init_script(self._set())

    def pass_to(self, moment: datetime, page: Page) -> None:
        """Let time pass until a moment of the story, however long it was told for."""
        self.pass_until(moment - clock.now(), page)


@dataclass(frozen=True)
class Cast:
    """Who is there, by member id. The claims of all but joining and unfit stand beforehand.

    by_phone show the shift's code, by_number have neither phone nor card, looked_up come
    before the network is gone, joining and unfit never claimed, and unfit may not come.
    """

    organizer: int
    shift_id: int
    begins_at: datetime
    by_phone: tuple[int, ...]
    by_card: tuple[int, ...]
    by_number: tuple[int, ...]
    looked_up: tuple[int, ...]
    joining: tuple[int, ...]
    unfit: tuple[int, ...]
    away: tuple[int, ...]
    numbers: dict[int, str]
    cards: dict[int, str]
    handles: dict[int, bytes]
    shift_handle: bytes

    def in_phone(self, people: People, member_id: int, at: datetime) -> str:
        """Return the address in the code that a phone shows at a moment.

        For this shift, or the general one of somebody without a claim.
        """
        is_known = member_id not in (*self.joining, *self.unfit)
        text = personal_text(
            people.settings.secret_key,
            self.handles[member_id],
            self.shift_handle if is_known else GENERAL,
            at,
        )
        return url_of(people.address, Purpose.PERSONAL, text)


SIZES = {
    "by_phone": 144,
    "by_card": 30,
    "by_number": 12,
    "looked_up": 1,
    "joining": 10,
    "unfit": 2,
    "away": 4,
}
WITHOUT_CLAIM = ("joining", "unfit")


def invite_two_hundred(people: People, begins_in: timedelta, minutes: int) -> Cast:
    """Plan the event, approved by a second person, and let everybody claim who does."""
    now = clock.now()
    earlier = now - timedelta(days=2)
    with people.app.app_context(), transaction() as session:
        organizer = with_role(
            session, a_member(session, "李敏", password=PASSWORD, now=earlier), "organizer"
        )
        plan = a_plan(now + begins_in, minutes, PLACES)
        shift_id = _publish(session, organizer, plan, earlier)
        names = iter(first + second for second in GIVEN for first in SURNAMES)
        groups: dict[str, tuple[int, ...]] = {}
        for group, size in SIZES.items():
            kind = "resident" if group == "unfit" else "volunteer"
            groups[group] = tuple(
                a_member(session, next(names), kind=kind, now=earlier) for _ in range(size)
            )
            if group not in WITHOUT_CLAIM:
                for member_id in groups[group]:
                    a_claim(session, shift_id, member_id, earlier)
        rows = {each: session.get_one(Member, each) for ids in groups.values() for each in ids}
        return Cast(
            organizer=organizer,
            shift_id=shift_id,
            begins_at=plan.starts_at,
            **groups,
            numbers={each: row.volunteer_no for each, row in rows.items()},
            cards=_cards(session, people, (*groups["by_card"], groups["away"][0]), earlier),
            handles={each: row.handle for each, row in rows.items()},
            shift_handle=session.get_one(Shift, shift_id).handle,
        )


def _publish(session: Session, organizer: int, plan: NewShift, now: datetime) -> int:
    an_organization(session)
    task_id = draft_task(
        session,
        title="地下活动室邻里联欢",
        kind="activity",
        organization_code=COMMUNITY_CODE,
        scoring_item="volunteer_hour",
        summary="布置会场，接待邻居",
        risk_note="楼梯较陡，请扶好",
        shifts=[plan],
        organizer_id=organizer,
        paths=["/"],
        zone=SHANGHAI,
        now=now,
        details=Details(eligibility=WHO_MAY_COME),
    )
    publish_task(session, task_id=task_id, actor_id=organizer, paths=["/"], now=now)
    approver = with_role(session, a_member(session, "管理员"), "administrator")
    approve_task(session, task_id=task_id, actor_id=approver, paths=["/"], now=now)
    return shifts_of(session, task_id)[0]


def _cards(
    session: Session, people: People, member_ids: Iterable[int], now: datetime
) -> dict[int, str]:
    """Issue paper cards and return what stands on each."""
    cards = {}
    secret = people.settings.secret_key
    for member_id in member_ids:
        number = draw_bytes(CARD_NUMBER_BYTES)
        issue_card(
            session,
            member_id=member_id,
            number=number,
            pin=None,
            secret=secret,
            issued_by_id=None,
            now=now,
        )
        cards[member_id] = url_of(people.address, Purpose.CARD, card_text(secret, number))
    return cards


@dataclass(frozen=True)
class Held:
    """What somebody holds before the hand scanner; is_insisted: the lead takes them in."""

    text: str
    is_insisted: bool = False


# One person after the other: the page's clock goes on, a scanner types what is held up, and
# the page says what it makes of it. Returns the big words and how long the page took.
SCAN_ONE_BY_ONE = """async ({ scans, apart }) => {
    const title = () => document.querySelector("[data-strip] [data-slot=title]").textContent;
    const told = async (act) => {
        performance.clearMeasures();
        act();
        for (;;) {
            const [took] = performance.getEntriesByName("frame to verdict");
            if (took) return [title(), took.duration];
            await new Promise((done) => { setTimeout(done, 2); });
        }
    };
    const pullTrigger = TYPE_LIKE_A_GUN;
    document.activeElement.blur();
    const said = [];
    for (const { text, is_insisted: isInsisted } of scans) {
        globalThis.aheadMs += apart;
        let answer = await told(() => pullTrigger(text));
        if (isInsisted) {
            const question = answer[0];
            document.querySelector("[data-strip] [data-slot=acts] button").click();
            while (title() === question) await new Promise((done) => { setTimeout(done, 2); });
            answer = [title(), answer[1]];
        }
        said.push(answer);
    }
    return said;
}""".replace("TYPE_LIKE_A_GUN", TYPE_LIKE_A_GUN)


def scan_one_by_one(page: Page, held: list[Held]) -> list[tuple[str, float]]:
    """Scan these quickly, each at its own moment of the story; return the words and the ms."""
    scans: list[dict[str, Any]] = [vars(each) for each in held]
    answer = page.evaluate(SCAN_ONE_BY_ONE, {"scans": scans, "apart": SECONDS_APART * 1000})
    return [(word, took) for word, took in answer]
