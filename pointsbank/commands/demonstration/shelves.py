"""More on the shelves of the demonstration: every kind of reward, pictures, and wishes."""

import io
from datetime import datetime, timedelta
from functools import cache, partial

from PIL import Image, ImageDraw

from pointsbank.commands.demonstration.people import District
from pointsbank.core.db import transaction
from pointsbank.rewards.days import monthday_bits, weekday_bits
from pointsbank.rewards.offering import Offer
from pointsbank.rewards.pictures import Picture, encoded, keep_picture
from pointsbank.rewards.service import offer_reward
from pointsbank.rewards.wishing import answer_wish, vote, wish

WISHED_AGO = timedelta(days=12)
ANSWERED_AFTER = timedelta(days=4)
PICTURE_EDGE = 320
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
            stock=4,
            loan_days=7,
        ),
    ),
    (
        0,
        Offer(
            "轮椅 借用",
            60,
            "loan",
            "tools",
            "可折叠。借用前请在店里试坐，量好门宽。",
            stock=2,
            loan_days=14,
        ),
    ),
    (
        0,
        Offer(
            "折叠梯 借用", 40, "loan", "tools", "两米高。用时请有人扶着。", stock=3, loan_days=5
        ),
    ),
    (0, Offer("爱心雨伞 借用", 10, "loan", "tools", stock=12, loan_days=3)),
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
    ("雨伞架", "下雨天到社区办事，伞没处放", VOTERS),
    ("上门修水管", "", 5),
    ("电影票", "周末的", 3),
)
GRANTED = ("借用轮椅", "老人从医院回来那几天用", 6)
GRANTED_TOOL, GRANTED_ANSWER = "轮椅 借用", "平潭街爱心超市现在可以借了。"
DECLINED = ("出国旅游", "超出了商户能提供的范围。")


def fill_the_shelves(district: District, *, at: datetime) -> dict[str, tuple[int, int]]:
    """Let merchants offer one of each kind, with pictures; return reward id and points by
    name.
    """
    offered = {}
    with transaction() as session:
        for number, offer in SHELVES:
            reward_id = offer_reward(
                session,
                actor=district.first,
                merchant_id=district.merchants[number].id,
                offer=offer,
                now=at,
            )
            offered[offer.name] = (reward_id, offer.points)
        for merchant in district.merchants:
            # The first on each shelf.
            reward_id, points = merchant.rewards[0]
            keep_picture(
                session,
                actor=district.first,
                reward_id=reward_id,
                picture=a_picture(points),
                now=at,
            )
    return offered


@cache
def a_picture(points: int) -> Picture:
    """Return the picture of what costs so much, encoded as an uploaded one is."""
    return encoded(a_drawing(points))


def a_drawing(points: int) -> bytes:
    """Draw a parcel with a ribbon in a colour that follows from its price; PNG."""
    warm = 120 + points % 100
    image = Image.new("RGB", (PICTURE_EDGE, PICTURE_EDGE), (246, 241, 230))
    pen = ImageDraw.Draw(image)
    pen.rectangle((60, 110, 260, 270), fill=(warm, 96, 72))
    pen.rectangle((48, 80, 272, 118), fill=(warm + 20, 120, 92))
    pen.rectangle((145, 80, 175, 270), fill=(240, 214, 150))
    pen.ellipse((110, 40, 165, 82), outline=(240, 190, 110), width=11)
    pen.ellipse((155, 40, 210, 82), outline=(240, 190, 110), width=11)
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def wish_and_vote(
    district: District, *, tools: dict[str, tuple[int, int]], now: datetime
) -> None:
    """Let members of a community wish for things; two wishes are answered already."""
    people = district.communities[0].members[: VOTERS + len(WISHES)]
    wished_at = now - WISHED_AGO
    with transaction() as session:
        for number, (title, note_text, votes) in enumerate((*WISHES, GRANTED)):
            wish_id = wish(
                session,
                member_id=people[number],
                title=title,
                note_text=note_text,
                now=wished_at,
            )
            for member_id in people[number : number + votes]:
                vote(
                    session, member_id=member_id, wish_id=wish_id, is_wanted=True, now=wished_at
                )
        answered = partial(
            answer_wish, session, actor=district.first, now=wished_at + ANSWERED_AFTER
        )
        answered(
            wish_id=wish_id,
            decision="fulfilled",
            answer=GRANTED_ANSWER,
            reward_id=tools[GRANTED_TOOL][0],
        )
        title, answer = DECLINED
        wish_id = wish(session, member_id=people[-1], title=title, note_text="", now=wished_at)
        answered(wish_id=wish_id, decision="declined", answer=answer, reward_id=None)
