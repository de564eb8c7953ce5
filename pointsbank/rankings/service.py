"""The roll-up: score entries of a period become standings of members and branches."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Date, TextClause, bindparam, text
from sqlalchemy.orm import Session

from pointsbank.core.calendar import Period, local_day
from pointsbank.core.db import Moment
from pointsbank.rankings.policy import yearly_factor
from pointsbank.scoring.queries import standard_on

# Names of JSON functions, which are all that the two engines write differently here.
POSTGRESQL = {
    "group": "json_agg",
    "object": "json_build_object",
    "caps": "json_each_text(category_caps) AS share(category, most)",
    "category": "share.category",
    "most": "share.most",
    "parts": "json_array_elements(parts) AS part(fact)",
    "text_of": "(part.fact ->> '{}')",
    "number_of": "CAST(part.fact ->> '{}' AS bigint)",
}
SQLITE = {
    "group": "json_group_array",
    "object": "json_object",
    "caps": "json_each(category_caps) AS share",
    "category": "share.key",
    "most": "share.value",
    "parts": "json_each(parts) AS part",
    "text_of": "json_extract(part.value, '$.{}')",
    "number_of": "json_extract(part.value, '$.{}')",
}

# This row is locked until the end: of two roll-ups of one period the second waits.
BEGIN = text(
    """
    INSERT INTO roll_up (period, as_of, standard_version, entries, members)
    VALUES (:period, :now, :standard_version, 0, 0)
    ON CONFLICT (period) DO UPDATE SET as_of = excluded.as_of,
        standard_version = excluded.standard_version
    """
).bindparams(bindparam("now", type_=Moment()))

FORGET_BRANCHES = text("DELETE FROM branch_standing WHERE period = :period")
FORGET_MEMBERS = text("DELETE FROM member_standing WHERE period = :period")

MEMBERS = """
    INSERT INTO member_standing (period, member_id, organization_id, evaluation_hundredths,
                                 points_earned, service_minutes, parts)
    WITH sums AS (
        SELECT member_id, category, CAST(SUM(evaluation_hundredths) AS bigint) AS earned,
               CAST(SUM(points) AS bigint) AS points,
               CAST(SUM(service_minutes) AS bigint) AS minutes, COUNT(*) AS entries
        FROM score_entry
        WHERE earned_on >= :first_on AND earned_on < :end_on
        GROUP BY member_id, category
    ), shares AS (
        SELECT {category} AS category, CAST({most} AS bigint) AS most
        FROM scoring_standard, {caps}
        WHERE scoring_standard.id = :standard_id
    ), scored AS (
        SELECT sums.*, COALESCE(shares.most, 0) AS cap,
               CASE WHEN sums.earned <= 0 THEN 0
                    WHEN sums.earned * :factor > COALESCE(shares.most, 0)
                    THEN COALESCE(shares.most, 0)
                    ELSE sums.earned * :factor END AS score
        FROM sums LEFT JOIN shares ON shares.category = sums.category
    )
    SELECT CAST(:period AS varchar), member.id, member.organization_id, SUM(scored.score),
           SUM(scored.points), SUM(scored.minutes),
           {group}({object}('category', scored.category, 'earned', scored.earned,
                            'cap', scored.cap, 'score', scored.score, 'entries', scored.entries,
                            'points', scored.points, 'minutes', scored.minutes))
    FROM scored JOIN member ON member.id = scored.member_id AND member.state = 'active'
    GROUP BY member.id, member.organization_id
"""

# A branch's part is its members' mean in that category, to the nearest hundredth, and its
# evaluation is the sum of its parts; so the parts always add up to it exactly.
BRANCHES = """
    INSERT INTO branch_standing (period, organization_id, member_count, active_count,
                                 evaluation_hundredths, points_earned, service_minutes, parts)
    WITH belonging AS (
        SELECT organization_id, COUNT(*) AS members
        FROM member WHERE state = 'active' GROUP BY organization_id
    ), taking_part AS (
        SELECT organization_id, COUNT(*) AS members
        FROM member_standing WHERE period = :period GROUP BY organization_id
    ), sums AS (
        SELECT organization_id, {category_of} AS category, MAX({cap_of}) AS cap,
               CAST(SUM({score_of}) AS bigint) AS score,
               CAST(SUM({earned_of}) AS bigint) AS earned,
               CAST(SUM({entries_of}) AS bigint) AS entries,
               CAST(SUM({points_of}) AS bigint) AS points,
               CAST(SUM({minutes_of}) AS bigint) AS minutes
        FROM member_standing, {parts}
        WHERE period = :period
        GROUP BY organization_id, {category_of}
    ), means AS (
        SELECT sums.*, (2 * sums.score + belonging.members) / (2 * belonging.members) AS mean
        FROM sums JOIN belonging ON belonging.organization_id = sums.organization_id
    )
    SELECT CAST(:period AS varchar), belonging.organization_id, belonging.members,
           COALESCE(taking_part.members, 0), COALESCE(SUM(means.mean), 0),
           COALESCE(SUM(means.points), 0), COALESCE(SUM(means.minutes), 0),
           COALESCE({group}({object}('category', means.category, 'earned', means.earned,
                                     'cap', means.cap, 'score', means.mean,
                                     'entries', means.entries, 'points', means.points,
                                     'minutes', means.minutes))
                    FILTER (WHERE means.category IS NOT NULL), '[]')
    FROM belonging
    LEFT JOIN taking_part ON taking_part.organization_id = belonging.organization_id
    LEFT JOIN means ON means.organization_id = belonging.organization_id
    GROUP BY belonging.organization_id, belonging.members, taking_part.members
"""

FINISH = """
    UPDATE roll_up
    SET members = (SELECT COUNT(*) FROM member_standing WHERE period = :period),
        entries = (SELECT COALESCE(SUM({entries_of}), 0)
                   FROM branch_standing, {parts} WHERE period = :period)
    WHERE period = :period
    RETURNING members, entries
"""


@dataclass(frozen=True)
class RolledUp:
    """What a roll-up found: entries counted, and members who have a standing by them."""

    period: str
    entries: int
    members: int
    standard_version: int


def roll_up(session: Session, *, period: Period, zone: ZoneInfo, now: datetime) -> RolledUp:
    """Make every standing of a period anew from the score entries, and return what was counted.

    The result depends on the entries, the members and the standard alone: a repeat gives the
    same rows, and of two at once the second waits for the first. An active member with at least
    one entry has a standing, in the organization they belong to now; the entries keep the one
    they were earned in. The standard is the one in force on the period's last day, or today
    while it runs. Rule: docs/scoring.md, "The evaluation score".
    """
    fragments = _fragments(session)
    last_on = min(period.end_on - timedelta(days=1), local_day(now, zone))
    standard = standard_on(session, max(last_on, period.first_on))
    values = {
        "period": period.name,
        "now": now,
        "standard_id": standard.id,
        "standard_version": standard.version,
        "first_on": period.first_on,
        "end_on": period.end_on,
        "factor": yearly_factor(period),
    }
    session.execute(BEGIN, values)
    session.execute(FORGET_BRANCHES, values)
    session.execute(FORGET_MEMBERS, values)
    session.execute(_members_statement(fragments), values)
    session.execute(text(BRANCHES.format(**fragments)), values)
    counted = session.execute(text(FINISH.format(**fragments)), values).one()
    return RolledUp(period.name, int(counted.entries), int(counted.members), standard.version)


def _fragments(session: Session) -> dict[str, str]:
    """Return how this engine writes JSON, with the expression of each fact of a part."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    fragments = dict(POSTGRESQL if is_postgresql else SQLITE)
    fragments["category_of"] = fragments["text_of"].format("category")
    for fact in ("cap", "score", "earned", "entries", "points", "minutes"):
        fragments[f"{fact}_of"] = fragments["number_of"].format(fact)
    return fragments


def _members_statement(fragments: dict[str, str]) -> TextClause:
    return text(MEMBERS.format(**fragments)).bindparams(
        bindparam("first_on", type_=Date()), bindparam("end_on", type_=Date())
    )
