"""A merchant with everything on it, and a walk along the links of its pages."""

import io
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import pypdfium2
from openpyxl import load_workbook
from sqlalchemy.orm import Session
from werkzeug.routing import RequestRedirect
from werkzeug.test import TestResponse

from pointsbank.core.keys import draw_number
from pointsbank.core.sheets import XLSX_TYPE
from pointsbank.merchants.papers import add_merchant_paper
from pointsbank.rewards.lending import lend_tool
from pointsbank.rewards.ordering import NewOrder, order_at_counter, order_reward
from pointsbank.rewards.redeeming import Order, redeem_reward
from pointsbank.rewards.wishing import wish
from pointsbank.settlements.closing import close_month
from tests.browsing import Forms
from tests.builders import a_member, a_reward, redemption_code, with_points
from tests.laws.rows.merchants import NEXT_YEAR, PAPER, TODAY, an_application
from tests.laws.rows.settlements import NEWEST, a_deal
from tests.laws.world import OWN, World
from tests.merchants.partners import DAILY, a_clerk, a_contract, a_shop, an_administrator
from tests.merchants.pictures import PDF
from tests.moments import NOON

POINTS = 1_000


@dataclass
class Marketplace:
    """What stands at the own side's merchant, by the names of the doors' objects."""

    world: World
    buyer_id: int
    objects: dict[str, Any] = field(default_factory=dict)


def a_marketplace(world: World, persona: str = "volunteer") -> Marketplace:
    """Give the own merchant shop, contract, papers, a deal of each kind and a statement.

    What a person has of their own, this persona has; a clerk deals next door, nobody for
    themself.
    """
    own_id = world.people[persona]
    buyer_id = world.people["volunteer"] if persona == "clerk" else own_id
    market = Marketplace(world, buyer_id)
    merchant_id = world.own.merchant_id
    zone = world.app.extensions["settings"].zone
    with world.writing() as session:
        for member_id in {buyer_id, own_id}:
            with_points(session, member_id, POINTS)
        shop_id = a_shop(session, merchant_id, "总店", DAILY)
        a_contract(session, merchant_id, TODAY, NEXT_YEAR, month_points_max=9_000)
        add_merchant_paper(
            session,
            actor=an_administrator(session),
            merchant_id=merchant_id,
            paper=PAPER,
            now=NOON,
        )
        for applicant_id in (own_id, a_member(session, "赵老板")):
            an_application(session, world, OWN, applicant_id)
        if own_id != buyer_id:
            a_deal_next_door(session, world, own_id)
        a_deal(session, merchant_id, NEWEST.starts_at(zone))
        close_month(session, merchant_id=merchant_id, month=NEWEST, zone=zone, now=NOON)
        wish(session, member_id=buyer_id, title="雨伞", note_text="", now=NOON)
        market.objects |= {
            "merchant_id": merchant_id,
            "shop_id": shop_id,
            "month": NEWEST.name,
            "no": 1,
            **deals_of(session, world, buyer_id, shop_id),
        }
    return market


def a_deal_next_door(session: Session, world: World, member_id: int) -> None:
    """Let the member redeem at the other merchant, and order there."""
    merchant_id = world.own.next_door_id
    clerk_id = a_clerk(session, merchant_id).member_id
    reward_id = a_reward(session, merchant_id)
    code = redemption_code(session, world.app, member_id, NOON)
    day: dict[str, Any] = {"secret": world.secret, "today": NOON.date(), "now": NOON}
    redeem_reward(
        session,
        Order(merchant_id, reward_id, 1, code=code),
        clerk_id=clerk_id,
        number=draw_number(14),
        **day,
    )
    order_reward(session, NewOrder(reward_id, 1, member_id, draw_number(14)), **day)


def deals_of(session: Session, world: World, buyer_id: int, shop_id: int) -> dict[str, Any]:
    """Let the member redeem, order in both ways, and borrow; the clerk persona serves."""
    merchant_id, clerk_id = world.own.merchant_id, world.people["clerk"]
    reward_id = a_reward(session, merchant_id, "洗洁精一瓶", points=20, stock=2)
    tool_id = a_reward(session, merchant_id, "电钻", kind="loan", loan_days=7)
    day = {"today": NOON.date(), "now": NOON}

    def order(wanted_id: int) -> Order:
        code = redemption_code(session, world.app, buyer_id, NOON)
        return Order(merchant_id, wanted_id, 1, code=code)

    def new_order() -> NewOrder:
        wanted_id = a_reward(session, merchant_id, "大米 5 公斤", points=20, stock=9)
        return NewOrder(wanted_id, 1, buyer_id, draw_number(14))

    at_counter: dict[str, Any] = {"clerk_id": clerk_id, "secret": world.secret, **day}
    number = draw_number(14)
    redeemed = redeem_reward(session, order(reward_id), number=number, **at_counter)
    lend_tool(session, order(tool_id), number=draw_number(14), **at_counter)
    order_reward(session, new_order(), secret=world.secret, **day)
    at_till = order_at_counter(session, new_order(), shop_id=shop_id, word="4711", **day)
    return {
        "redemption_id": redeemed.id,
        "reward_id": reward_id,
        "order_id": at_till.id,
    }


@dataclass(frozen=True)
class Step:
    """A page that was reached: by how many taps, and what answered after all that led on."""

    path: str
    taps: int
    endpoints: frozenset[str]
    answer: TestResponse


def walk(
    world: World,
    persona: str,
    most: int,
    follows: Callable[[str, int], bool] = lambda _endpoint, _taps: True,
) -> Iterator[Step]:
    """Yield every page that this person reaches by links from home, the nearest first.

    most: how many taps at most. follows: told an endpoint and its taps, whether to open it.
    """
    client = world.client(world.tokens[persona], is_page=True)
    known, waiting = {"/"}, deque([("/", 0)])
    while waiting:
        path, taps = waiting.popleft()
        answer = client.get(path, follow_redirects=True, buffered=True)
        passed = [path, *(each.request.path for each in (*answer.history, answer))]
        yield Step(path, taps, frozenset(endpoint_of(world, each) for each in passed), answer)
        if answer.mimetype != "text/html" or taps == most:
            continue
        for link in links_of(answer):
            if link not in known and follows(endpoint_of(world, link), taps + 1):
                known.add(link)
                waiting.append((link, taps + 1))


def bare(address: str) -> str:
    """Return an address without its query."""
    return address.partition("?")[0]


def links_of(answer: TestResponse) -> list[str]:
    """Return the addresses of this service that a page leads to, without their fragments."""
    found = []
    for link in Forms(answer.text).links:
        whole = urljoin(answer.request.path, urldefrag(link).url)
        if urlsplit(whole).scheme in ("", "http") and not urlsplit(whole).netloc:
            found.append(whole)
    return found


def endpoint_of(world: World, path: str) -> str:
    """Return the endpoint that answers an address."""
    adapter = world.app.url_map.bind("localhost")
    try:
        return adapter.match(bare(path), "GET")[0]
    except RequestRedirect as redirect:
        return adapter.match(urlsplit(redirect.new_url).path, "GET")[0]


def words_in(answer: TestResponse) -> str:
    """Return everything that an answer says: of a sheet its cells, of a PDF its text.

    The shop's own papers are no pages: what stands for one has nothing to read.
    """
    if answer.mimetype == XLSX_TYPE:
        page = load_workbook(io.BytesIO(answer.data)).active
        cells = (cell for row in page.iter_rows(values_only=True) for cell in row)
        return " ".join(str(cell) for cell in cells if cell is not None)
    if answer.mimetype == "application/pdf" and answer.data != PDF:
        document = pypdfium2.PdfDocument(answer.data)
        return " ".join(page.get_textpage().get_text_range() for page in document)
    return "" if answer.mimetype.startswith("image/") else answer.text
