"""What waits for whom: not for its author, not for whom it concerns, and with its due day."""

from datetime import date

import pytest
import time_machine

from pointsbank.notices.models import Objection
from pointsbank.notices.reviewing import review_notice
from pointsbank.rankings.waiting import piles
from tests.appraisals.committee_room import a_room, actor_of, deduction, exemption
from tests.appraisals.test_late_entries import late
from tests.builders import signed_in, with_role
from tests.certificates.starring import a_home, administrator_of, an_award, secretary_of
from tests.certificates.test_revoking import asked, decided
from tests.members.homes import Town
from tests.members.test_proposing import decided as decided_move
from tests.members.test_proposing import proposed, two_ends
from tests.moments import NOON
from tests.notices.boards import a_board, a_draft, grades
from tests.rankings.closings import ENTERED_LATE, Branch, ask, close
from tests.rankings.sittings import Sitting


def counted(session, actor):
    return {pile.kind: pile.count for pile in piles(session, actor)}


def test_papers_wait_for_another_than_who_entered_them(writing):
    with writing() as session:
        room = a_room(session)
        deduction(session, room)
        exemption(session, room, member_id=room.other_id)
        assert counted(session, actor_of(session, room.administrator_id)) == {"papers": 2}
        assert counted(session, actor_of(session, room.secretary_id)) == {}
        assert counted(session, actor_of(session, room.member_id)) == {}


def test_late_entries_wait_like_other_papers(session):
    room = a_room(session)
    late(session, room)
    assert counted(session, actor_of(session, room.administrator_id)) == {"papers": 1}
    assert counted(session, actor_of(session, room.secretary_id)) == {}


def test_a_draft_waits_for_another_once_one_looked_at_all_but_their_own_line(session):
    board = a_board(session)
    notice_id = a_draft(session, board, lines=grades(board.committee, *board.members))
    assert counted(session, board.actor(board.committee)) == {"notices": 1}
    review_notice(
        session,
        notice_id=notice_id,
        actor=board.actor(board.committee),
        today=NOON.date(),
        now=NOON,
    )
    assert counted(session, board.actor(board.committee)) == {}
    assert counted(session, board.actor(board.second)) == {"notices": 1}


def test_a_draft_about_nobody_but_oneself_waits_for_others(session):
    board = a_board(session)
    a_draft(session, board, lines=grades(board.committee))
    assert counted(session, board.actor(board.committee)) == {}
    assert counted(session, board.actor(board.second)) == {"notices": 1}


def objection(session, notice_id, line_no, *, state="raised", by=None, answered_by=None):
    session.add(
        Objection(
            notice_id=notice_id,
            line_no=line_no,
            objector_id=by,
            reason="分数少算了",
            facts="" if by else "三月的服务没有计入",
            raised_at=NOON,
            answer_by=date(2026, 11, 26),
            decide_by=date(2026, 12, 3),
            state=state,
            answered_by_id=answered_by,
            answered_at=NOON if answered_by else None,
        )
    )
    session.flush()


def test_notices_and_objections_wait_with_their_due_day(writing):
    with writing() as session:
        board = a_board(session)
        notice_id = a_draft(session, board)
        assert counted(session, board.actor(board.committee)) == {"notices": 1}
        assert counted(session, board.actor(board.secretary, "secretary")) == {}
        objection(session, notice_id, 1)
        objection(session, notice_id, 2, by=board.second)
        objection(session, notice_id, None, state="accepted", answered_by=board.second)
        found = {pile.kind: pile for pile in piles(session, board.actor(board.committee))}
        assert (found["answers"].count, found["answers"].due_on) == (2, date(2026, 11, 26))
        assert (found["rulings"].count, found["rulings"].due_on) == (1, date(2026, 12, 3))
        # One's own objection, and one about oneself, are for somebody else.
        assert counted(session, board.actor(board.second))["answers"] == 1
        assert counted(session, board.actor(board.members[0]))["answers"] == 1


def test_a_correction_waits_for_the_second_person(writing):
    with writing() as session:
        branch = Branch(session)
        close(session, branch)
        branch.entry(session, branch.members[1], now=ENTERED_LATE)
        ask(session, branch)
        assert counted(session, branch.actor(branch.second)) == {"corrections": 1}
        assert counted(session, branch.actor(branch.secretary, "secretary")) == {}


def test_cases_wait_until_one_has_said_something(writing):
    with writing() as session:
        sitting = Sitting(session)
        actor = sitting.actor(sitting.second)
        (pile,) = piles(session, actor)
        assert (pile.kind, pile.review_id) == ("grades", sitting.review_id)
        before = pile.count
        assert before >= 2
        sitting.say(session, sitting.members[0], "qualified", sitting.second, "全年表现稳定")
        assert counted(session, actor) == {"grades": before - 1}
        assert counted(session, sitting.actor(sitting.third)) == {"grades": before}


def test_registrations_wait_for_each_side_in_turn(writing):
    with writing() as session:
        town = Town(session)
        made = town.applied(session)
        assert made
        assert counted(session, town.secretary) == {"applications": 1}
        assert counted(session, town.contact) == {}
        assert counted(session, town.foreign) == {}
        town.accepted(session, town.person(session, "李敏"))
        assert counted(session, town.contact) == {"confirmations": 1}


@pytest.mark.parametrize(
    ("proposer", "decider"),
    [("old_secretary", "new_secretary"), ("new_secretary", "old_secretary")],
)
def test_a_move_waits_for_the_end_that_did_not_propose_it(writing, proposer, decider):
    with writing() as session:
        ends = two_ends(session)
        proposal_id = proposed(session, ends, getattr(ends, proposer))
        assert counted(session, actor_of(session, getattr(ends, decider))) == {"moves": 1}
        assert counted(session, actor_of(session, ends.administrator)) == {"moves": 1}
        assert counted(session, actor_of(session, getattr(ends, proposer))) == {}
        assert counted(session, actor_of(session, ends.foreign_secretary)) == {}
        assert decided_move(session, proposal_id, getattr(ends, decider)) == "confirmed"
        assert counted(session, actor_of(session, ends.administrator)) == {}


def test_a_move_of_ones_own_waits_for_others(writing):
    with writing() as session:
        ends = two_ends(session)
        with_role(session, ends.member, "secretary", ends.new)
        proposed(session, ends, ends.old_secretary)
        assert counted(session, actor_of(session, ends.member)) == {}


def test_a_revocation_waits_for_the_second_person(session):
    home = a_home(session)
    revocation_id = asked(session, home, an_award(session, home))
    assert counted(session, secretary_of(session, home)) == {}
    assert counted(session, administrator_of(session, home)) == {"revocations": 1}
    decided(session, administrator_of(session, home), revocation_id)
    assert counted(session, administrator_of(session, home)) == {}


@pytest.mark.parametrize("words", [("审核扣分、否决、免评和补录", "/evaluation-papers")])
def test_the_dashboard_leads_there(app, client, writing, words):
    with writing() as session:
        room = a_room(session)
        deduction(session, room)
    with time_machine.travel(NOON, tick=False):
        page = client.get("/dashboard", headers=signed_in(app, room.administrator_id)).text
    for each in words:
        assert each in page


def a_move(session):
    ends = two_ends(session)
    proposed(session, ends, ends.old_secretary)
    return ends.administrator


def a_revocation(session):
    home = a_home(session)
    asked(session, home, an_award(session, home))
    return home.administrator_id


@pytest.mark.parametrize(
    ("made", "words", "path"),
    [
        (a_move, "处理其他支部的转支部申请", "/move-proposals"),
        (a_revocation, "审核撤销星级", "/stars/applications"),
    ],
)
def test_the_dashboard_leads_to_what_another_asked_for(app, client, writing, made, words, path):
    with writing() as session:
        administrator_id = made(session)
    with time_machine.travel(NOON, tick=False):
        page = client.get("/dashboard", headers=signed_in(app, administrator_id)).text
    assert words in page
    assert f'href="{path}"' in page
