"""Public notices of the demonstration: a draft, one with objections, contested, final."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.commands.demonstration.disputes import secretary_over
from pointsbank.commands.demonstration.people import Community, District
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import local_day
from pointsbank.core.db import transaction
from pointsbank.core.keys import draw_letters
from pointsbank.members.consenting import give_consent
from pointsbank.notices.answering import answer_objection, decide_objection
from pointsbank.notices.drafting import DraftLine, draft_notice
from pointsbank.notices.objecting import (
    RECEIPT_ALPHABET,
    RECEIPT_LETTERS,
    NewObjection,
    anonymous,
    raise_objection,
)
from pointsbank.notices.queries import notice_of
from pointsbank.notices.reviewing import review_notice
from pointsbank.notices.timekeeping import keep_time
from pointsbank.tasks.claiming import claim_shift
from pointsbank.tasks.models import Task
from pointsbank.tasks.post_notices import draft_post_notice
from pointsbank.tasks.queries import task_of

# Long enough that a weekend lies behind it, short enough that five working days are not over.
OPENED_AGO = timedelta(days=4)
LONG_AGO = timedelta(days=45)
TAKERS = 3
HOUR_MINUTES = 60
STAR_HOURS = {1: 112, 2: 318, 3: 641}
NAMED = NewObjection("第 2 行的服务时长好像多算了", "", 2)
NAMELESS = NewObjection(
    "这个人的时长有问题", "十月中旬的两次夜巡他没有到场，当天在岗的是别人，门岗可以作证。", 1
)
PLACE = NewObjection("这个社区的创建任务没有全部完成", "", None)


@dataclass(frozen=True)
class Board:
    """Who acts in the first community, and when now is."""

    session: Session
    community: Community
    secretary: Actor
    zone: ZoneInfo
    now: datetime
    secret: str

    def reviewed(self, notice_id: int, ago: timedelta) -> bool:
        """Let the secretary review a draft; tell whether the public sees it today."""
        review_notice(
            self.session,
            notice_id=notice_id,
            actor=self.secretary,
            today=local_day(self.now - ago, self.zone),
            now=self.now - ago,
        )
        today = local_day(self.now, self.zone)
        return notice_of(self.session, notice_id).is_shown(today)

    def objected(self, notice_id: int, wanted: NewObjection, by: int | None) -> int:
        """Let somebody object today, without a name when by is None."""
        receipt = draw_letters(RECEIPT_ALPHABET, RECEIPT_LETTERS)
        return raise_objection(
            self.session,
            notice_id=notice_id,
            by=by or anonymous(self.secret, receipt=receipt, client="demonstration"),
            wanted=wanted,
            today=local_day(self.now, self.zone),
            now=self.now - timedelta(hours=2),
        ).id

    def accepted(self, objection_id: int) -> int:
        """Let the secretary look into an objection."""
        answer_objection(
            self.session,
            objection_id=objection_id,
            actor=self.secretary,
            is_accepted=True,
            reason="已受理，正在核对扫码记录。",
            now=self.now - timedelta(hours=1),
        )
        return objection_id


def make_notices(district: District, *, secret: str, zone: ZoneInfo, now: datetime) -> None:
    """Let the first community announce posts, stars and certificates, and be objected to."""
    community = district.communities[0]
    with transaction() as session:
        secretary = secretary_over(session, community)
        if secretary is None:
            return
        for member_id in community.members[1:3]:
            give_consent(
                session,
                member_id=member_id,
                purpose="publish_name",
                recorded_by_id=secretary.member_id,
                now=now - LONG_AGO,
                channel="paper",
            )
        board = Board(session, community, secretary, zone, now, secret)
        announce_posts(board)
        announce_stars(board)
        announce_places(board, district)
        announce_certificates(board)
        keep_time(session, today=local_day(now, zone), zone=zone, now=now)


def announce_posts(board: Board) -> None:
    """Let three people take a post, and its notice wait for review."""
    session, community, now = board.session, board.community, board.now
    tasks = session.scalars(
        select(Task.id)
        .where(Task.organization_id == community.id, Task.kind == "post", Task.state == "open")
        .order_by(Task.id.desc())
    )
    for task_id in tasks.all():
        coming = [each for each in task_of(session, task_id).shifts if each.starts_at > now]
        if not coming or coming[0].claimed:
            continue
        for member_id in community.members[4 : 4 + TAKERS]:
            claim_shift(session, shift_id=coming[0].id, member_id=member_id, now=now)
        draft_post_notice(
            session,
            task_id=task_id,
            paths=(community.path,),
            actor_id=community.organizer_id,
            reason="",
            zone=board.zone,
            now=now,
        )
        return


def announce_stars(board: Board) -> None:
    """Show three stars, with one objection that waits and one that is looked into."""
    people = board.community.members[1:4]
    notice_id = draft_notice(
        board.session,
        kind="star",
        subject=f"star:demonstration:{board.community.id}",
        organization_id=board.community.id,
        title=f"{board.now.year} 年度星级志愿者公示",
        facts={"year": board.now.year, "rule": "志愿服务时长 100、300、600 小时"},
        lines=[
            DraftLine(each, None, {"stars": stars, "minutes": hours * HOUR_MINUTES})
            for each, (stars, hours) in zip(people, STAR_HOURS.items(), strict=True)
        ],
        drafted_by_id=board.community.organizer_id,
        now=board.now - OPENED_AGO,
    )
    if board.reviewed(notice_id, OPENED_AGO):
        board.objected(notice_id, NAMED, board.community.members[0])
        board.accepted(board.objected(notice_id, NAMELESS, None))


def announce_places(board: Board, district: District) -> None:
    """Show stars of communities, against which an objection was upheld."""
    notice_id = draft_notice(
        board.session,
        kind="organization_star",
        subject=f"organization_star:demonstration:{board.community.id}",
        organization_id=board.community.id,
        title=f"{board.now.year} 年度“五星创建”公示",
        facts={"year": board.now.year},
        lines=[
            DraftLine(None, each.id, {"stars": stars, "marks": 100 - 4 * stars})
            for each, stars in zip(district.communities, (5, 4, 3), strict=False)
        ],
        drafted_by_id=board.community.organizer_id,
        now=board.now - OPENED_AGO,
    )
    if board.reviewed(notice_id, OPENED_AGO):
        decide_objection(
            board.session,
            objection_id=board.accepted(
                board.objected(notice_id, PLACE, board.community.members[0])
            ),
            actor=board.secretary,
            is_upheld=True,
            reason="经核对，两项任务没有佐证材料，得分重新计算。",
            now=board.now - timedelta(minutes=20),
        )


def announce_certificates(board: Board) -> None:
    """Leave a notice of certificates that became final weeks ago."""
    notice_id = draft_notice(
        board.session,
        kind="certificate",
        subject=f"certificate:demonstration:{board.community.id}",
        organization_id=board.community.id,
        title="志愿服务记录证明出具公示",
        facts={"purpose": "入党积极分子考察"},
        lines=[
            DraftLine(each, None, {"minutes": 96 * HOUR_MINUTES})
            for each in board.community.members[5:7]
        ],
        drafted_by_id=board.community.organizer_id,
        now=board.now - LONG_AGO,
    )
    board.reviewed(notice_id, LONG_AGO)
