"""What waits for its second person, or was refused, changes no score and no rank."""

from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from pointsbank.appraisals.deciding import decide_paper
from pointsbank.appraisals.entering import (
    NewDeduction,
    NewExemption,
    NewLateEntry,
    NewVeto,
    enter_deduction,
    enter_exemption,
    enter_late_entry,
    enter_veto,
)
from pointsbank.appraisals.meetings import NewAppraisal, decide_appraisal, enter_appraisal
from pointsbank.appraisals.policy import Count
from pointsbank.core.calendar import read_period
from pointsbank.members.models import Member
from pointsbank.organizations.queries import organization_of
from pointsbank.rankings.models import MEASURES, RollUp
from pointsbank.rankings.queries import every_ranked, scope_of
from pointsbank.rankings.rolling_up import roll_up
from pointsbank.rankings.sources import evaluation_of, placing_of
from tests.builders import TODAY, a_score_entry
from tests.moments import NOON
from tests.rankings.naive import kept_rows
from tests.scoring.hands import actor_of, asked, decided, some_hands

ZONE = ZoneInfo("Asia/Shanghai")
QUARTER = read_period("2026-Q4")
SOME_DAY = TODAY


class Waiting:
    """A volunteer with a few hours, and papers about them that one person entered."""

    def __init__(self, session):
        self.hands = some_hands(session)
        self.member_id = self.hands.member_id
        session.get_one(Member, self.member_id).kind = "party_member"
        for _ in range(4):
            a_score_entry(session, self.member_id)
        a_score_entry(session, self.hands.organizer_id)

    def enter(self, session, kind):
        """Let the secretary enter it; return how the administrator decides it."""
        by = actor_of(session, self.hands.secretary_id)
        if kind == "adjustments":
            entered = asked(session, self.hands).id
            return lambda s, yes: decided(s, entered, self.hands.administrator_id, yes)
        if kind == "appraisals":
            code = organization_of(session, self.hands.branch_id).code
            wanted = NewAppraisal(code, SOME_DAY, 10, (Count(self.member_id, 8, 2, 0, 0),))
            entered = enter_appraisal(session, wanted, actor=by, today=TODAY, now=NOON)
            return lambda s, yes: self.decide_appraisal(s, entered, yes)
        act, wanted = {
            "deductions": (
                enter_deduction,
                NewDeduction(self.member_id, 500, SOME_DAY, "无故缺席"),
            ),
            "vetoes": (
                enter_veto,
                NewVeto(self.member_id, "discipline", "受处分", "3号", SOME_DAY),
            ),
            "exemptions": (
                enter_exemption,
                NewExemption(self.member_id, "long_illness", SOME_DAY),
            ),
            "late_entries": (
                enter_late_entry,
                NewLateEntry(
                    member_id=self.member_id,
                    item_code="theme_day",
                    occurred_on=SOME_DAY,
                    times=1,
                    service_minutes=0,
                    document_no="签到表3号",
                    reason="漏记",
                ),
            ),
        }[kind]
        entered = act(session, wanted, actor=by, today=TODAY, now=NOON)
        return lambda s, yes: decide_paper(
            s,
            kind=kind,
            paper_id=entered,
            actor=actor_of(s, self.hands.administrator_id),
            is_confirmed=yes,
            reason="情况如此",
            now=NOON,
        )

    def decide_appraisal(self, session, appraisal_id, is_confirmed):
        decide_appraisal(
            session,
            appraisal_id=appraisal_id,
            actor=actor_of(session, self.hands.administrator_id),
            is_confirmed=is_confirmed,
            reason="情况如此",
            now=NOON,
        )

    def counted(self, session):
        """Return what the rankings have, rolled up by what is new and then everybody anew."""
        found = []
        for is_full in (False, True):
            if is_full:
                session.execute(update(RollUp).values(is_doubted=True))
            roll_up(session, period=QUARTER, zone=ZONE, now=NOON)
            found.append(self.read(session))
        assert found[0] == found[1]
        return found[0]

    def read(self, session):
        whole = {"period": QUARTER.name, "paths": ("/",)}
        return [
            kept_rows(session, QUARTER)[0],
            placing_of(session, member_ids=[self.member_id], period=QUARTER),
            evaluation_of(session, member_id=self.member_id, period=QUARTER, today=TODAY),
            *(
                list(every_ranked(session, of="members", scope=scope, paths=("/",)))
                for measure in MEASURES
                for scope in [scope_of(session, **whole, measure=measure)]
            ),
        ]


KINDS = ["adjustments", "appraisals", "deductions", "vetoes", "exemptions", "late_entries"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_waits_or_is_refused_counts_nothing(writing, kind):
    with writing() as session:
        waiting = Waiting(session)
        before = waiting.counted(session)
    with writing() as session:
        decide = waiting.enter(session, kind)
    with writing() as session:
        assert waiting.counted(session) == before
        decide(session, False)
    with writing() as session:
        assert waiting.counted(session) == before


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_second_person_confirmed_counts(writing, kind):
    """The control of the one above."""
    with writing() as session:
        waiting = Waiting(session)
        before = waiting.counted(session)
        decide = waiting.enter(session, kind)
        decide(session, True)
    with writing() as session:
        assert waiting.counted(session) != before
