"""A committee's review of a closed year, to be decided case by case."""

from sqlalchemy import select

from pointsbank.rankings.grading import Opinion, ask_again, decide_case, open_review, say_grade
from pointsbank.rankings.models import GradeCase, GradeReview
from tests.rankings.closings import AFTER_YEAR, YEAR, Branch, close


class Sitting(Branch):
    """A branch whose first member reached qualified by the rules, the others nothing."""

    def __init__(self, session):
        super().__init__(session)
        # 30 of organization life, 15 of study, 15 of duty, and 25 of volunteer service at most.
        for item, hundredths in (
            ("theme_day", 3000),
            ("study_session", 1500),
            ("community_duty", 1500),
            ("volunteer_hour", 2500),
        ):
            self.entry(session, self.members[0], hundredths, item)
        self.snapshot_id = close(session, self, YEAR, AFTER_YEAR)
        self.review_id = open_review(
            session,
            organization_id=self.id,
            period="2026",
            actor=self.actor(self.secretary, "secretary"),
            now=AFTER_YEAR,
        )

    def say(self, session, member_id, grade, by, reason=""):
        say_grade(
            session,
            review_id=self.review_id,
            member_id=member_id,
            opinion=Opinion(grade, reason),
            actor=self.actor(by),
            now=AFTER_YEAR,
        )

    def decide_on(self, session, member_id, grade, by=None, reason=""):
        decide_case(
            session,
            review_id=self.review_id,
            member_id=member_id,
            opinion=Opinion(grade, reason),
            actor=self.actor(by or self.secretary),
            now=AFTER_YEAR,
        )

    def agree(self, session, member_id, grade, reason=""):
        """Let two of the committee say the same, and decide it."""
        for by in (self.second, self.third):
            self.say(session, member_id, grade, by, reason)
        self.decide_on(session, member_id, grade, reason=reason)

    def case(self, session, member_id):
        return session.execute(
            select(GradeCase.advised, GradeCase.grade, GradeCase.reason, GradeCase.round).where(
                GradeCase.review_id == self.review_id, GradeCase.member_id == member_id
            )
        ).one()

    def state(self, session):
        return session.scalar(select(GradeReview.state).where(GradeReview.id == self.review_id))

    def ask_again(self, session, member_id, by=None, now=AFTER_YEAR):
        ask_again(
            session,
            review_id=self.review_id,
            member_id=member_id,
            reason="异议成立",
            actor=self.actor(by or self.secretary),
            now=now,
        )
