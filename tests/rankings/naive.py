"""The standings of a period computed in the plainest way, row by row, to compare with."""

from collections import Counter, defaultdict
from dataclasses import asdict

from sqlalchemy import select, text

from pointsbank.members.models import Belonging, Member
from pointsbank.organizations.models import Organization
from pointsbank.rankings.models import (
    COUNTED_KINDS,
    MEASURE_COLUMNS,
    BranchStanding,
    MemberStanding,
    RollUp,
    StandingCount,
)
from pointsbank.rankings.policy import yearly_factor
from pointsbank.rankings.sources import (
    caps_for,
    entries_of,
    last_day,
    placing_of,
    standard_for,
    tables_for,
)
from pointsbank.scoring.evaluating import evaluate

ROWS = {"member_standing": "1, 2", "branch_standing": "1, 2", "standing_count": "1, 2, 3, 4"}


def kept_rows(session, period):
    """Return every derived row of a period letter by letter, and how far it is counted."""
    rows = [
        tuple(map(str, row))
        for table, order in ROWS.items()
        for row in session.execute(
            text(f"SELECT * FROM {table} WHERE period = :period ORDER BY {order}"),
            {"period": period.name},
        )
    ]
    far = session.execute(
        select(
            RollUp.standard_version,
            RollUp.entry_id,
            RollUp.change_id,
            RollUp.entries,
            RollUp.members,
        ).where(RollUp.period == period.name)
    ).first()
    return rows, far and tuple(far)


def naive_standings(session, period, today):
    """Return {member_id: what their standing should hold}."""
    standard = standard_for(session, period, today)
    caps, tables = caps_for(session, standard), tables_for(session, standard.id)
    active = session.scalars(select(Member.id).where(Member.state == "active")).all()
    placing = placing_of(session, member_ids=active, period=period)
    entries = entries_of(session, member_ids=active, period=period)
    first_day = dict.fromkeys(active)
    for member_id, from_on in session.execute(
        select(Belonging.member_id, Belonging.from_on).order_by(Belonging.from_on.desc())
    ):
        first_day[member_id] = from_on
    found = {}
    for member_id in active:
        table = tables[placing[member_id].table_name]
        belonged = first_day[member_id] <= last_day(period)
        if not entries[member_id] and not (
            table.base_mode == "start_full_and_deduct" and belonged
        ):
            continue
        evaluation = evaluate(
            entries[member_id], caps=caps, table=table, factor=yearly_factor(period)
        )
        found[member_id] = asdict(placing[member_id]) | asdict(evaluation)
        found[member_id]["table_name"] = table.name
        found[member_id]["parts"] = [asdict(part) for part in evaluation.parts]
    return found


def kept_standings(session, period):
    """Return {member_id: what their standing holds}."""
    rows = session.scalars(
        select(MemberStanding)
        .where(MemberStanding.period == period.name)
        .execution_options(populate_existing=True)
    )
    return {
        row.member_id: {
            column.key: getattr(row, column.key)
            for column in MemberStanding.__table__.columns
            if column.key not in ("period", "member_id")
        }
        for row in rows
    }


def naive_counts(session, standings):
    """Return {(organization_id, measure, value): members}, those who are exempt left out."""
    paths = dict(session.execute(select(Organization.id, Organization.path)).all())
    kinds = dict(session.execute(select(Organization.id, Organization.kind)).all())
    found = Counter()
    for row in standings.values():
        for above in map(int, paths[row["organization_id"]].strip("/").split("/")):
            if kinds[above] in COUNTED_KINDS and not row["is_exempt"]:
                for measure, column in MEASURE_COLUMNS.items():
                    found[above, measure, row[column]] += 1
    return dict(found)


def kept_counts(session, period):
    rows = session.execute(
        select(
            StandingCount.organization_id,
            StandingCount.measure,
            StandingCount.value,
            StandingCount.members,
        ).where(StandingCount.period == period.name)
    )
    return {tuple(row[:3]): row[3] for row in rows}


def naive_branches(session, period, standings):
    """Return {organization_id: members, active, evaluation, points, minutes, parts}."""
    last_on = last_day(period)
    counts, sums, active = Counter(), defaultdict(Counter), Counter()
    members = session.scalars(select(Member.id).where(Member.state == "active")).all()
    for member_id, placing in placing_of(session, member_ids=members, period=period).items():
        spans = session.execute(
            select(Belonging.from_on).where(Belonging.member_id == member_id)
        ).scalars()
        if min(spans) <= last_on or member_id in standings:
            counts[placing.organization_id] += 1
    kinds = {}
    for row in standings.values():
        place = row["organization_id"]
        active[place] += 1
        for part in row["parts"]:
            kinds[part["category"]] = part["kind"]
            for fact in ("score", "earned", "entries", "points", "minutes"):
                sums[place, part["category"]][fact] += part[fact]
    found = {}
    for place, count in counts.items():
        own = {c: facts for (where, c), facts in sums.items() if where == place}
        means = {c: (2 * facts["score"] + count) // (2 * count) for c, facts in own.items()}
        total = sum(-m if kinds[c] == "deduction" else m for c, m in means.items())
        found[place] = (
            count,
            active[place],
            max(0, min(10000, total)),
            sum(facts["points"] for facts in own.values()),
            sum(facts["minutes"] for facts in own.values()),
            {c: (means[c], facts["earned"], facts["entries"]) for c, facts in own.items()},
        )
    return found


def kept_branches(session, period):
    rows = session.scalars(
        select(BranchStanding)
        .where(BranchStanding.period == period.name)
        .execution_options(populate_existing=True)
    )
    return {
        row.organization_id: (
            row.member_count,
            row.active_count,
            row.evaluation_hundredths,
            row.points_earned,
            row.service_minutes,
            {p["category"]: (p["score"], p["earned"], p["entries"]) for p in row.parts},
        )
        for row in rows
    }


def differences(session, period, today):
    """Return what the roll-up holds otherwise than the plainest way has it; {} if right."""
    wanted, kept = naive_standings(session, period, today), kept_standings(session, period)
    pairs = {
        "standings": (wanted, kept),
        "counts": (naive_counts(session, wanted), kept_counts(session, period)),
        "branches": (naive_branches(session, period, wanted), kept_branches(session, period)),
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
