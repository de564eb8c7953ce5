"""Lines that members of the demonstration say are wrong: open, overdue, upheld, rejected."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.commands.demonstration.people import Community, District
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.calendar import local_day
from pointsbank.core.db import transaction
from pointsbank.ledger.queries import Line
from pointsbank.members.queries import role_holders_over
from pointsbank.passbooks.disputing import Answer, answer_dispute, open_dispute
from pointsbank.passbooks.queries import lines_of, taken_back
from pointsbank.scoring.reversals import lower_score

# Longer than five working days, however the weekends fall.
OVERDUE = timedelta(days=9)
# One for each of the volunteer's three disputes.
LINES_NEEDED = 3


def make_disputes(district: District, *, zone: ZoneInfo, now: datetime) -> None:
    """Let two members dispute lines of their books, and a secretary answer two of them."""
    community = district.communities[0]
    volunteer = community.members[0]
    with transaction() as session:
        secretary = secretary_over(session, community)
        lines = lines_that_stand(session, volunteer)
        books = ((each, lines_that_stand(session, each)) for each in community.members[1:])
        neighbour, theirs = next(((each, book) for each, book in books if book), (0, []))
        if secretary is None or len(lines) < LINES_NEEDED or not theirs:
            return
        spent = next((line for line in lines if line.kind == "spend"), lines[0])
        others = [line for line in lines if line.line != spent.line]

        def say(member_id: int, line: Line, reason: str, ago: timedelta) -> int:
            return open_dispute(
                session,
                member_id=member_id,
                line=line.line,
                reason=reason,
                today=local_day(now - ago, zone),
                now=now - ago,
            ).id

        def answer(dispute_id: int, decided: Answer, ago: timedelta) -> None:
            answer_dispute(
                session,
                dispute_id=dispute_id,
                actor=secretary,
                answer=decided,
                lower_score=lower_score,
                today=local_day(now - ago, zone),
                now=now - ago,
            )

        say(neighbour, theirs[-1], "我那天干了三个小时，只记了两个小时", OVERDUE)
        rejected = say(volunteer, others[-1], "这次活动我没有参加", OVERDUE)
        words = "签到和签退都有现场扫码记录，负责人也核对过，您当天确实在场。"
        answer(rejected, Answer("reject", words), OVERDUE - timedelta(days=3))
        upheld = say(volunteer, spent, "东西是坏的，当场退回去了", timedelta(hours=20))
        answer(upheld, Answer("uphold", "店里已经确认退回。"), timedelta(minutes=30))
        say(volunteer, others[0], "积分少记了，我是领队", timedelta(minutes=20))


def secretary_over(session: Session, community: Community) -> Actor | None:
    """Return a secretary of the community as one who acts, none where there is none."""
    found = role_holders_over(session, community.path, ["secretary"])
    if not found:
        return None
    return Actor(found[0], "", 0, 0, (Grant("secretary", community.path),))


def lines_that_stand(session: Session, member_id: int) -> list[Line]:
    """Return the lines of a book that were not taken back, newest first."""
    lines = lines_of(session, member_id, kinds=("earn", "spend"))
    reversed_points = taken_back(session, lines)
    return [line for line in lines if line.transfer_id not in reversed_points]
