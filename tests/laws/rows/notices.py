"""Who may knock at public notices, objections, consent and the calendar of working days."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.keys import draw_number
from pointsbank.notices.answering import answer_objection
from pointsbank.notices.drafting import DraftLine, draft_notice
from pointsbank.notices.objecting import NewObjection, anonymous, raise_objection
from pointsbank.notices.reviewing import review_notice
from pointsbank.organizations.models import CalendarDay, Organization
from pointsbank.tasks.models import Task
from tests.builders import a_claim, a_member, shifts_of, with_role
from tests.laws.doors import (
    ANYONE,
    MEMBERS,
    READERS,
    Row,
    asking,
    did_it,
    door,
    fields,
    file_of,
    form,
)
from tests.laws.world import (
    COMMUNITY,
    MEMBER,
    OWN,
    PERSON,
    SHARED,
    Kind,
    Made,
    World,
    an_open_task,
)
from tests.moments import NOON

TODAY = NOON.date()
REVIEWERS = ("administrator", "secretary", "committee")
NOTICE_READERS = (*REVIEWERS, "organizer", "auditor")
OBJECTION_READERS = (*REVIEWERS, "auditor")
DRAFTERS = ("organizer", "secretary")
WHOLE = ("first administrator",)
FACTS = "十一月三日的清扫他没有来，名单里却有他。"
SAID = NewObjection("等次评得太高", FACTS, 1)
HOLIDAYS = "日期,休班,名称\n2027-01-01,休,元旦\n"


def make_draft(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    """A notice of that side which nobody has reviewed."""
    ground = world.ground(place)
    people = [a_member(session, name, ground.branch_id) for name in ("赵敏", "钱红")]
    return draft_notice(
        session,
        kind="grade",
        subject=f"grades:2026:{draw_number(12)}",
        organization_id=ground.community_id,
        title="2026 年度等次公示",
        facts={"period": "2026", "members": len(people)},
        lines=[DraftLine(each, None, {"grade": "qualified"}) for each in people],
        drafted_by_id=None,
        now=NOON,
    )


def a_judge(session: Session, world: World, place: str) -> Actor:
    """Somebody of that side's committee."""
    ground = world.ground(place)
    member_id = with_role(
        session, a_member(session, "孙支委"), "committee", ground.community_id
    )
    path = session.scalars(
        select(Organization.path).where(Organization.id == ground.community_id)
    ).one()
    return Actor(member_id, "孙支委", ground.community_id, 1, (Grant("committee", path),))


def make_open(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A notice of that side before the public; NOON is a Saturday, so that one is worked."""
    if session.get(CalendarDay, TODAY) is None:
        session.add(
            CalendarDay(
                day=TODAY, is_working=True, name="补班", loaded_by_id=actor or 1, loaded_at=NOON
            )
        )
        session.flush()
    notice_id = make_draft(session, world, place, actor, made)
    judge = a_judge(session, world, place)
    review_notice(session, notice_id=notice_id, actor=judge, today=TODAY, now=NOON)
    return notice_id


def make_any_open(session: Session, world: World, place: str, _actor: int, made: Made) -> int:
    return make_open(session, world, place, world.people["volunteer"], made)


def raised(session: Session, world: World, place: str, by: int | None, made: Made) -> int:
    number = draw_number(12)
    return raise_objection(
        session,
        notice_id=make_any_open(session, world, place, 0, made),
        by=by or anonymous(world.secret, receipt=number, client=number),
        wanted=SAID,
        today=TODAY,
        now=NOON,
    ).id


def make_objection(session: Session, world: World, place: str, _actor: int, made: Made) -> int:
    """An objection without a name that waits for an answer."""
    return raised(session, world, place, None, made)


def make_accepted(session: Session, world: World, place: str, _actor: int, made: Made) -> int:
    """An objection that is being looked into."""
    objection_id = raised(session, world, place, None, made)
    answer_objection(
        session,
        objection_id=objection_id,
        actor=a_judge(session, world, place),
        is_accepted=True,
        reason="",
        now=NOON,
    )
    return objection_id


def make_own(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """An objection of whoever acts; elsewhere another member's."""
    by = actor if place == OWN else a_member(session, "周大爷")
    return raised(session, world, OWN, by, made)


def make_receipt(session: Session, world: World, _place: str, _actor: int, made: Made) -> str:
    """The receipt of an objection without a name."""
    number = draw_number(12)
    raise_objection(
        session,
        notice_id=make_any_open(session, world, OWN, 0, made),
        by=anonymous(world.secret, receipt=number, client=number),
        wanted=SAID,
        today=TODAY,
        now=NOON,
    )
    return number


def make_post(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A published task of posts that somebody has claimed."""
    task_id = an_open_task(session, world, place, actor, made)
    session.get_one(Task, task_id).kind = "post"
    a_claim(session, shifts_of(session, task_id)[0])
    return task_id


def make_day(session: Session, world: World, _place: str, actor: int, made: Made) -> str:
    """A day that was loaded."""
    make_any_open(session, world, OWN, actor, made)
    return TODAY.isoformat()


def from_anywhere(send: Callable[[Made], dict[str, Any]]) -> Callable[[Made], dict[str, Any]]:
    """Send it from an address of its own, since one may do so ten times an hour only."""

    def sent(made: Made) -> dict[str, Any]:
        return {**send(made), "environ_overrides": {"REMOTE_ADDR": draw_number(12)}}

    return sent


def was_not_done(answer: TestResponse) -> bool:
    """Tell whether a page said afterwards why nothing was done."""
    return not did_it(answer)


DRAFT = Kind(COMMUNITY, make_draft)
OPEN = Kind(SHARED, make_any_open)
OBJECTION = Kind(COMMUNITY, make_objection)
ACCEPTED = Kind(COMMUNITY, make_accepted)
OWN_OBJECTION = Kind(PERSON, make_own)
RECEIPT = Kind(SHARED, make_receipt, "NOSUCHRECEIPT")
POST = Kind(COMMUNITY, make_post)
LOADED = Kind(SHARED, make_day, "2031-01-01")
WORDS = {"reason": SAID.reason, "facts": FACTS, "line_no": 1}
PURPOSE = Kind(SHARED, lambda *_given: "publish_name", "publish_phone")

API: list[Row] = [
    door("GET", "/api/v1/public-notices", ANYONE),
    door("GET", "/api/v1/public-notices/<id:notice_id>", ANYONE, notice_id=OPEN),
    door(
        "POST",
        "/api/v1/public-notices/<id:notice_id>/objections",
        ANYONE,
        from_anywhere(fields(**WORDS)),
        notice_id=OPEN,
    ),
    door(
        "POST",
        "/api/v1/objection-receipts",
        ANYONE,
        fields(receipt="RECEIPT"),
        receipt=RECEIPT,
    ),
    door("GET", "/api/v1/notices", NOTICE_READERS),
    door("GET", "/api/v1/notices/<id:notice_id>", NOTICE_READERS, notice_id=DRAFT),
    door("POST", "/api/v1/notices/<id:notice_id>/review", REVIEWERS, notice_id=DRAFT),
    door(
        "POST",
        "/api/v1/notices/<id:notice_id>/withdrawal",
        REVIEWERS,
        fields(reason="写错了"),
        notice_id=DRAFT,
    ),
    door(
        "POST",
        "/api/v1/notices/<id:notice_id>/objections",
        MEMBERS,
        fields(**WORDS),
        notice_id=OPEN,
    ),
    door("GET", "/api/v1/me/objections", MEMBERS),
    door("GET", "/api/v1/objections", OBJECTION_READERS),
    door(
        "GET",
        "/api/v1/objections/<id:objection_id>",
        OBJECTION_READERS,
        objection_id=OBJECTION,
    ),
    door(
        "POST",
        "/api/v1/objections/<id:objection_id>/answer",
        REVIEWERS,
        fields(answer="accept"),
        objection_id=OBJECTION,
    ),
    door(
        "POST",
        "/api/v1/objections/<id:objection_id>/decision",
        REVIEWERS,
        fields(decision="uphold", reason="属实"),
        objection_id=ACCEPTED,
    ),
    door(
        "POST",
        "/api/v1/tasks/<id:task_id>/post-notice",
        DRAFTERS,
        fields(),
        task_id=POST,
    ),
    door("GET", "/api/v1/me/consents", MEMBERS),
    door("PUT", "/api/v1/me/consents/<purpose>", MEMBERS, purpose=PURPOSE),
    door("DELETE", "/api/v1/me/consents/<purpose>", MEMBERS, purpose=PURPOSE),
    door("GET", "/api/v1/members/<id:member_id>/consents", READERS, member_id=MEMBER),
    door(
        "PUT",
        "/api/v1/members/<id:member_id>/consents/<purpose>",
        READERS,
        member_id=MEMBER,
        purpose=PURPOSE,
    ),
    door(
        "DELETE",
        "/api/v1/members/<id:member_id>/consents/<purpose>",
        READERS,
        member_id=MEMBER,
        purpose=PURPOSE,
    ),
    door("GET", "/api/v1/working-days", MEMBERS, asking(year="2026")),
    door("POST", "/api/v1/working-days/import", WHOLE, file_of(HOLIDAYS)),
]

PAGES: list[Row] = [
    door("GET", "/notices", ANYONE),
    door("GET", "/notices/<id:notice_id>", ANYONE, notice_id=OPEN),
    door("GET", "/notices/<id:notice_id>/objection", ANYONE, notice_id=OPEN),
    door(
        "POST",
        "/notices/<id:notice_id>/objection",
        ANYONE,
        from_anywhere(form(name="nameless", **WORDS)),
        notice_id=OPEN,
    ),
    door("GET", "/notices/receipt", ANYONE),
    door("POST", "/notices/receipt", ANYONE, form(receipt="RECEIPT"), receipt=RECEIPT),
    door("GET", "/notice-desk", NOTICE_READERS),
    door("GET", "/notice-desk/<id:notice_id>", NOTICE_READERS, notice_id=DRAFT),
    door("GET", "/notice-desk/<id:notice_id>/notice.pdf", NOTICE_READERS, notice_id=DRAFT),
    door("POST", "/notice-desk/<id:notice_id>/review", REVIEWERS, notice_id=DRAFT),
    door(
        "POST",
        "/notice-desk/<id:notice_id>/withdrawal",
        REVIEWERS,
        form(reason="写错了"),
        notice_id=DRAFT,
    ),
    door("GET", "/me/objections", MEMBERS),
    door("GET", "/me/objections/<id:objection_id>", MEMBERS, objection_id=OWN_OBJECTION),
    door("GET", "/objections", OBJECTION_READERS),
    door("GET", "/objections/<id:objection_id>", OBJECTION_READERS, objection_id=OBJECTION),
    door(
        "POST",
        "/objections/<id:objection_id>/answer",
        REVIEWERS,
        form(answer="accept"),
        objection_id=OBJECTION,
    ),
    door(
        "POST",
        "/objections/<id:objection_id>/decision",
        REVIEWERS,
        form(decision="uphold", reason="属实"),
        objection_id=ACCEPTED,
    ),
    door("GET", "/tasks/<id:task_id>/post-notice", DRAFTERS, task_id=POST),
    door("POST", "/tasks/<id:task_id>/post-notice", DRAFTERS, task_id=POST),
    door("GET", "/me/consents", MEMBERS),
    door("POST", "/me/consents", MEMBERS, form(purpose="publish_name", act="give")),
    door("GET", "/members/<id:member_id>/consents", READERS, member_id=MEMBER),
    door(
        "POST",
        "/members/<id:member_id>/consents",
        READERS,
        form(purpose="publish_name", act="give"),
        member_id=MEMBER,
    ),
    door("GET", "/working-days", MEMBERS),
    door("POST", "/working-days", WHOLE, file_of(HOLIDAYS)),
    door(
        "POST",
        "/working-days/removal",
        WHOLE,
        form(day="DAY"),
        is_denied=was_not_done,
        is_foreign=was_not_done,
        day=LOADED,
    ),
]

ROWS = [*API, *PAGES]
