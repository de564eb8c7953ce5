"""Builders of public notices: a branch with its people, a draft, one that is open."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.members.consenting import give_consent
from pointsbank.notices.drafting import DraftLine, draft_notice
from pointsbank.organizations.queries import organization_of
from tests.builders import a_branch, a_member, with_role
from tests.moments import NOON

# Monday of the week after NOON, which is a Saturday: the first day a notice can open on.
MONDAY = date(2026, 11, 23)
TITLE = "第一党支部 2026 年度等次公示"
FACTS = {"period": "2026", "members": 2}


@dataclass(frozen=True)
class Board:
    """A branch with a secretary who drafts, a committee of two, and two members in the list."""

    branch_id: int
    path: str
    secretary: int
    committee: int
    second: int
    members: tuple[int, int]

    def actor(self, member_id: int, role: str = "committee") -> Actor:
        """Return somebody with a role over the branch."""
        return Actor(member_id, "某人", self.branch_id, 1, (Grant(role, self.path),))


def a_board(session: Session) -> Board:
    branch = a_branch(session)
    return Board(
        branch_id=branch,
        path=organization_of(session, branch).path,
        secretary=with_role(session, a_member(session, "赵书记", branch), "secretary", branch),
        committee=with_role(session, a_member(session, "钱支委", branch), "committee", branch),
        second=with_role(session, a_member(session, "孙支委", branch), "committee", branch),
        members=(a_member(session, "王桂兰", branch), a_member(session, "李建军", branch)),
    )


def grades(*member_ids: int) -> list[DraftLine]:
    """Return lines that grade these members, the first one best."""
    words = ["excellent"] + ["qualified"] * (len(member_ids) - 1)
    return [
        DraftLine(each, None, {"grade": word})
        for each, word in zip(member_ids, words, strict=True)
    ]


def a_draft(
    session: Session,
    board: Board,
    *,
    lines: list[DraftLine] | None = None,
    subject: str | None = None,
    now: datetime = NOON,
    **more: object,
) -> int:
    """Return a notice of grades that nobody has reviewed."""
    return draft_notice(
        session,
        kind="grade",
        subject=subject or f"grades:2026:{board.branch_id}",
        organization_id=board.branch_id,
        title=TITLE,
        facts=FACTS,
        lines=lines or grades(*board.members),
        drafted_by_id=board.secretary,
        now=now,
        **more,
    )


def consenting(session: Session, member_id: int) -> int:
    give_consent(
        session,
        member_id=member_id,
        purpose="publish_name",
        recorded_by_id=member_id,
        now=NOON,
    )
    return member_id


def at(day: date, hour: int = 12) -> datetime:
    """Return a moment of a local day."""
    return NOON + (day - NOON.date()) + timedelta(hours=hour - 12)
