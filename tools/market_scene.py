"""What stands at the demonstration's first counter for pictures: orders, loans, doubts."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, transaction
from pointsbank.core.keys import draw_bytes, draw_number
from pointsbank.core.settings import Settings
from pointsbank.ledger.models import Account, IssueBudget
from pointsbank.ledger.posting import Posting
from pointsbank.ledger.service import post
from pointsbank.members.codes import REDEMPTION_NUMBER_DIGITS, card_text, redemption_digits
from pointsbank.members.models import Member, MemberRole
from pointsbank.members.showing import draw_redemption_code, issue_card
from pointsbank.merchants.models import MerchantApplication, MerchantContract, Shop
from pointsbank.merchants.tills import till_text
from pointsbank.rewards.confirming import decline_redemption, lapse_next_confirmation
from pointsbank.rewards.delivering import Handing, redeem_voucher
from pointsbank.rewards.lending import lend_tool
from pointsbank.rewards.models import Redemption, Reward, RewardPicture
from pointsbank.rewards.offering import Offer
from pointsbank.rewards.ordering import NewOrder, cancel_order, order_at_counter, order_reward
from pointsbank.rewards.redeeming import Order, Redeemed, redeem_reward
from pointsbank.rewards.service import offer_reward
from pointsbank.rewards.voiding import void_redemption
from pointsbank.rewards.vouchers import voucher_code
from pointsbank.rewards.wishes_models import RewardWish
from pointsbank.settlements.models import Statement
from tools.district import District

ORDER_DIGITS = 14
CARD_BYTES = 10
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
# Enough for what stands above 200 points, again and again.
POINTS_GIVEN = 600
# The six digits of the volunteer's card.
PIN = "246810"


class Counter:
    """The first clerk's counter, and the people who stand before it."""

    def __init__(self, settings: Settings, rows: dict[str, int]) -> None:
        """Find who is who; rows: as tools/district.py finds them."""
        self.settings = settings
        self.merchant_id, self.volunteer_id = rows["merchant"], rows["volunteer"]
        with reading() as session:
            roles = session.execute(
                select(MemberRole.role, MemberRole.member_id, MemberRole.merchant_id).where(
                    MemberRole.withdrawn_at.is_(None)
                )
            ).all()
            self.others = list(
                session.scalars(
                    select(Member.id)
                    .where(Member.kind == "volunteer", Member.id != self.volunteer_id)
                    .order_by(Member.id)
                    .limit(6)
                )
            )
        self.clerk_id = next(
            each.member_id
            for each in roles
            if each.role == "clerk" and each.merchant_id == self.merchant_id
        )
        self.administrators = [each.member_id for each in roles if each.role == "administrator"]

    def clerk(self) -> Actor:
        """Return the clerk as an actor."""
        return Actor(self.clerk_id, "", 0, 0, (Grant("clerk", None, self.merchant_id),))

    def administrator(self) -> Actor:
        """Return the first administrator as an actor."""
        return Actor(self.administrators[0], "", 0, 0, (Grant("administrator", "/"),))

    def give(self, session: Session, member_id: int, points: int, now: datetime) -> None:
        """Give a member points, as their community would for a long day."""
        issuer, month = session.execute(
            select(Account.code, IssueBudget.month)
            .join(IssueBudget, IssueBudget.account_id == Account.id)
            .where(IssueBudget.points_max.is_(None))
            .order_by(IssueBudget.month.desc())
        ).first() or ("", "")
        wallet = f"member:{member_id}"
        posting = Posting(
            key=f"award:pictures:{draw_number(ORDER_DIGITS)}",
            kind="earn",
            source=issuer,
            target=wallet,
            wallet=wallet,
            points=points,
            occurred_at=now,
            reason="暴雨后清淤",
            expires_on=local_day(now, self.settings.zone) + timedelta(days=365),
            budget_month=month,
        )
        post(session, posting, now)

    def code_of(self, session: Session, member_id: int, now: datetime) -> str:
        """Draw a redemption code and return its 18 digits."""
        number = draw_number(REDEMPTION_NUMBER_DIGITS)
        secret = self.settings.secret_key
        draw_redemption_code(
            session, member_id=member_id, number=number, secret=secret, now=now
        )
        return redemption_digits(number)

    def deal(
        self, session: Session, member_id: int, reward_id: int, quantity: int, now: datetime
    ) -> Redeemed:
        """Hand a reward over."""
        order = Order(
            self.merchant_id, reward_id, quantity, self.code_of(session, member_id, now)
        )
        return redeem_reward(
            session,
            order,
            clerk_id=self.clerk_id,
            number=draw_number(ORDER_DIGITS),
            secret=self.settings.secret_key,
            today=local_day(now, self.settings.zone),
            now=now,
        )

    def today(self) -> tuple[datetime, dict[str, Any]]:
        """Return the moment and what calls need beside it."""
        now = clock.now()
        return now, {"today": local_day(now, self.settings.zone), "now": now}


def arrange(district: District) -> None:
    """Let things happen at the district's first counter; add their rows and codes."""
    settings, rows = district.app.extensions["settings"], district.rows
    with district.app.app_context():
        counter = Counter(settings, rows)
        now = clock.now()
        with transaction() as session:
            for member_id in (counter.volunteer_id, *counter.others):
                counter.give(session, member_id, POINTS_GIVEN, now - 5 * HOUR)
            rows |= shelf(session, counter, now - DAY)
            district.codes.update(signs(session, counter, now))
        rows |= deals(counter, rows)
        rows |= loans(counter, rows)
        district.codes.update(orders(counter, rows))
        rows |= papers(counter, district)


def shelf(session: Session, counter: Counter, since: datetime) -> dict[str, int]:
    """Offer something dear, something scarce, something over, and a draft."""

    def offer(name: str, points: int, **more: Any) -> int:
        offered = Offer(name, points, **more)
        return offer_reward(
            session,
            actor=counter.clerk(),
            merchant_id=counter.merchant_id,
            offer=offered,
            now=since,
        )

    on_shelf = select(Reward.id).where(Reward.merchant_id == counter.merchant_id)
    tool = session.scalar(on_shelf.where(Reward.kind == "loan"))
    assert tool is not None
    return {
        "usual": offer("洗洁精 一瓶", 20, category="daily", stock=40),
        "dear": offer("电压力锅 5升", 260, category="home", stock=3, limit_per_member=1),
        "scarce": offer("雨伞 一把", 45, category="daily", stock=1),
        "over": offer("月饼 一盒", 90, category="food", stock=8, valid_until=since + DAY / 2),
        "tool": tool,
        "ladder": offer("人字梯 借用", 60, kind="loan", category="tools", stock=1, loan_days=3),
    }


def signs(session: Session, counter: Counter, now: datetime) -> dict[str, str]:
    """Print a card with six digits for the volunteer, and find the code at the till."""
    secret = counter.settings.secret_key
    number = draw_bytes(CARD_BYTES)
    issue_card(
        session,
        member_id=counter.volunteer_id,
        number=number,
        pin=PIN,
        secret=secret,
        issued_by_id=counter.administrators[0],
        now=now,
    )
    handle = session.scalar(
        select(Shop.till_handle).where(Shop.merchant_id == counter.merchant_id)
    )
    assert handle is not None
    return {"card": card_text(secret, number), "till_code": till_text(secret, handle)}


def deals(counter: Counter, rows: dict[str, int]) -> dict[str, int]:
    """Hand over, take back all and some, let one be refused, and ask for a late void."""
    now, day = counter.today()
    others, found = counter.others, {}
    with transaction() as session:
        found["own_deal"] = counter.deal(
            session, counter.volunteer_id, rows["usual"], 2, now
        ).id
        found["voided_deal"] = counter.deal(session, others[0], rows["usual"], 1, now).id
        found["part_deal"] = counter.deal(session, others[1], rows["usual"], 3, now).id
        found["declined_deal"] = counter.deal(session, others[2], rows["dear"], 1, now).id
        for name, quantity in (("voided_deal", None), ("part_deal", 1)):
            void_redemption(
                session,
                redemption_id=found[name],
                actor=counter.clerk(),
                reason="拿错了",
                quantity=quantity,
                **day,
            )
        decline_redemption(
            session, redemption_id=found["declined_deal"], actor=counter.clerk(), now=now
        )
        found["lapsed_deal"] = counter.deal(
            session, others[3], rows["dear"], 1, now - 2 * MINUTE
        ).id
        lapse_next_confirmation(session, now=now)
        old = session.scalar(
            select(Redemption.id)
            .where(
                Redemption.merchant_id == counter.merchant_id,
                Redemption.state == "completed",
                Redemption.redeemed_on < day["today"],
            )
            .order_by(Redemption.id.desc())
        )
        assert old is not None
        void_redemption(
            session,
            redemption_id=old,
            actor=counter.administrator(),
            reason="顾客第二天发现油瓶漏油，拿回来换了",
            **day,
        )
    return {**found, "asked_deal": old}


def loans(counter: Counter, rows: dict[str, int]) -> dict[str, int]:
    """Lend both tools, one of them a while ago."""
    now, day = counter.today()
    found = {}
    with transaction() as session:
        borrowed = (("own_loan", counter.volunteer_id, 0), ("late_loan", counter.others[3], 9))
        for name, member_id, days in borrowed:
            at = now - days * DAY
            code = counter.code_of(session, member_id, at)
            found[name] = lend_tool(
                session,
                Order(counter.merchant_id, rows["tool"], 1, code),
                clerk_id=counter.clerk_id,
                number=draw_number(ORDER_DIGITS),
                secret=counter.settings.secret_key,
                today=local_day(at, counter.settings.zone),
                now=at,
            ).id
    return found


def orders(counter: Counter, rows: dict[str, int]) -> dict[str, str]:
    """Set aside for vouchers, fetch some of one, cancel one; add their rows, return codes."""
    now, day = counter.today()
    secret = counter.settings.secret_key

    def order(session: Session, name: str, member_id: int, quantity: int) -> str:
        new = NewOrder(rows["usual"], quantity, member_id, draw_number(ORDER_DIGITS))
        rows[name] = order_reward(session, new, secret=secret, **day).id
        return voucher_code(secret, new.number)

    with transaction() as session:
        own = order(session, "own_order", counter.volunteer_id, 1)
        some = order(session, "part_order", counter.others[4], 3)
        order(session, "cancelled_order", counter.volunteer_id, 1)
        cancel_order(
            session,
            order_id=rows["cancelled_order"],
            actor=Actor(counter.volunteer_id, "", 0, 0),
            now=now,
        )
        handing = Handing(counter.clerk(), draw_number(ORDER_DIGITS), quantity=1, **day)
        redeem_voucher(session, handing, code=some, secret=secret)
    return {"voucher": own, "part_voucher": some}


def papers(counter: Counter, district: District) -> dict[str, int]:
    """Find the application, a wish, contracts, and last month's statements by their state."""
    at_home = Reward.merchant_id == counter.merchant_id
    with reading() as session:
        second = session.scalar(
            select(Member.phone).where(Member.id == counter.administrators[-1])
        )
        found = {
            "application": session.scalar(select(MerchantApplication.id)),
            "wish": session.scalar(select(RewardWish.id).where(RewardWish.state == "open")),
            "shop": session.scalar(
                select(Shop.id).where(Shop.merchant_id == counter.merchant_id)
            ),
            "pictured": session.scalar(
                select(RewardPicture.reward_id)
                .join(Reward, Reward.id == RewardPicture.reward_id)
                .where(at_home)
            ),
            "starred": session.scalar(select(Reward.id).where(Reward.stars_min > 0)),
            "proposed_merchant": session.scalar(
                select(MerchantContract.merchant_id).where(MerchantContract.state == "proposed")
            ),
            "ending_merchant": session.scalar(
                select(MerchantContract.merchant_id).order_by(MerchantContract.valid_until)
            ),
        }
        made = session.execute(
            select(Statement.merchant_id, Statement.month, Statement.state).order_by(
                Statement.month, Statement.id.desc()
            )
        ).all()
    assert second is not None
    assert made, "no month of the demonstration is settled"
    district.phones["second"] = second
    district.codes["month"] = made[-1].month
    states = {f"{each.state}_merchant": each.merchant_id for each in made}
    return {**states, **{name: row for name, row in found.items() if row is not None}}


def ask_above(settings: Settings, rows: dict[str, int]) -> int:
    """Let a deal above 200 points wait for the volunteer, and return it."""
    counter = Counter(settings, rows)
    with transaction() as session:
        waiting = counter.deal(session, counter.volunteer_id, rows["dear"], 1, clock.now())
    return waiting.id


def call_off(settings: Settings, rows: dict[str, int], redemption_id: int) -> None:
    """Let the counter say no to what waits."""
    clerk = Counter(settings, rows).clerk()
    with transaction() as session:
        decline_redemption(session, redemption_id=redemption_id, actor=clerk, now=clock.now())


def order_at_till(settings: Settings, rows: dict[str, int]) -> int:
    """Let the volunteer order at the till's own code, and return the order."""
    counter = Counter(settings, rows)
    _, day = counter.today()
    new = NewOrder(rows["usual"], 1, counter.volunteer_id, draw_number(ORDER_DIGITS))
    with transaction() as session:
        ordered = order_at_counter(
            session, new, shop_id=rows["shop"], word=draw_number(4), **day
        )
    return ordered.id
