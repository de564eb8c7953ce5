"""More on the shelves of the demonstration: every kind of reward, pictures, and wishes."""

import io
from datetime import datetime, timedelta

from PIL import Image, ImageDraw
from sqlalchemy.orm import Session

from pointsbank.commands.demonstration.people import Community, District, Merchant
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import transaction
from pointsbank.rewards.days import monthday_bits, weekday_bits
from pointsbank.rewards.offering import Offer
from pointsbank.rewards.pictures import encoded, keep_picture
from pointsbank.rewards.service import offer_reward
from pointsbank.rewards.wishing import answer_wish, vote, wish

AGO = timedelta(days=12)
PICTURE_EDGE = 640
VOTERS = 9
# For the merchants in their order: the community store, the barber, the noodle shop, ...
SHELVES: tuple[tuple[int, Offer], ...] = (
    (
        0,
        Offer(
            "电钻 借用",
            50,
            "loan",
            "tools",
            "带钻头一盒。归还时一起看看有没有损坏。",
            stock=2,
            loan_days=7,
        ),
    ),
    (0, Offer("物业费抵扣 10元", 100, "fee_offset", "home", market_fen=1000)),
    (
        0,
        Offer(
            "鸡蛋 十枚",
            40,
            "goods",
            "food",
            "每月五号和二十号到货。",
            1200,
            stock=60,
            limit_per_member=1,
            limit_period="month",
            monthdays=monthday_bits([5, 20]),
        ),
    ),
    (
        1,
        Offer(
            "烫发优惠券 减20元",
            45,
            "coupon",
            "care",
            "周一到周四可用。",
            2000,
            limit_per_member=1,
            limit_period="quarter",
            weekdays=weekday_bits(["MO", "TU", "WE", "TH"]),
        ),
    ),
    (
        4,
        Offer(
            "周末书法课 一节",
            30,
            "service",
            "study",
            "书屋二楼，笔墨现场提供。",
            stock=24,
            weekdays=weekday_bits(["SA", "SU"]),
        ),
    ),
    (5, Offer("一星志愿者 免费洗一件", 10, "service", "home", stock=50, stars_min=1)),
)
WISHES = (
    ("雨伞", "下雨天巡逻用得上", VOTERS),
    ("上门修水管", "", 5),
    ("电影票", "周末的", 3),
)
DECLINED = ("出国旅游", "超出了商户能提供的范围。")


def fill_the_shelves(district: District, *, now: datetime) -> None:
    """Let merchants offer one of each kind, with pictures, and members wish and vote."""
    administrator = an_administrator(district)
    with transaction() as session:
        for number, offer in SHELVES:
            merchant = district.merchants[number % len(district.merchants)]
            offer_reward(
                session,
                actor=administrator,
                merchant_id=merchant.id,
                offer=offer,
                now=now - AGO,
            )
        for merchant in district.merchants:
            hang_pictures(session, administrator, merchant, now - AGO)
    with transaction() as session:
        wish_and_vote(session, district.communities[0], administrator, now - AGO)


def an_administrator(district: District) -> Actor:
    """Return the administrator of everything."""
    return Actor(district.administrator_id, "管理员", 0, 0, (Grant("administrator", "/"),))


def hang_pictures(session: Session, actor: Actor, merchant: Merchant, now: datetime) -> None:
    """Give a merchant's first reward a drawn picture."""
    if not merchant.rewards:
        return
    reward_id, points = merchant.rewards[0]
    picture = encoded(a_drawing(points))
    keep_picture(session, actor=actor, reward_id=reward_id, picture=picture, now=now)


def a_drawing(points: int) -> bytes:
    """Draw a parcel with a ribbon in a colour that follows from its price; PNG."""
    warm = 120 + points % 100
    image = Image.new("RGB", (PICTURE_EDGE, PICTURE_EDGE), (246, 241, 230))
    pen = ImageDraw.Draw(image)
    pen.rectangle((120, 220, 520, 540), fill=(warm, 96, 72))
    pen.rectangle((95, 160, 545, 235), fill=(warm + 20, 120, 92))
    pen.rectangle((290, 160, 350, 540), fill=(240, 214, 150))
    pen.ellipse((220, 80, 330, 165), outline=(240, 190, 110), width=22)
    pen.ellipse((310, 80, 420, 165), outline=(240, 190, 110), width=22)
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def wish_and_vote(
    session: Session, community: Community, administrator: Actor, now: datetime
) -> None:
    """Let members of a community wish for things; one wish is answered already."""
    people = community.members[: VOTERS + len(WISHES)]
    for number, (title, note_text, votes) in enumerate(WISHES):
        wish_id = wish(
            session,
            member_id=people[number % len(people)],
            title=title,
            note_text=note_text,
            now=now,
        )
        for member_id in people[:votes]:
            vote(session, member_id=member_id, wish_id=wish_id, is_wanted=True, now=now)
    title, answer = DECLINED
    wish_id = wish(session, member_id=people[-1], title=title, note_text="", now=now)
    answer_wish(
        session,
        actor=administrator,
        wish_id=wish_id,
        decision="declined",
        answer=answer,
        reward_id=None,
        now=now,
    )
