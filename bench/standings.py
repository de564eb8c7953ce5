"""A district with branches, members and score entries, written straight into PostgreSQL."""

import psycopg
from psycopg import sql

STREETS, COMMUNITIES = 10, 200
BRANCH_MEMBERS = 50
# Entries of this year are spread over its days so far; older ones over the years before.
YEAR, FIRST_DAY, OLD_DAY = "2026", "2026-01-01", "2020-01-01"
DAYS, OLD_DAYS = 320, 2190

PLACES = """
    INSERT INTO organization (id, code, name, kind, parent_id, path, created_at)
    VALUES (1, 'D', '区', 'district', NULL, '/1/', now());
    INSERT INTO organization (id, code, name, kind, parent_id, path, created_at)
    SELECT 1 + n, 'S' || n, '街道', 'street', 1, '/1/' || 1 + n || '/', now()
    FROM generate_series(1, {streets}) AS n;
    INSERT INTO organization (id, code, name, kind, parent_id, path, created_at)
    SELECT 100 + n, 'C' || n, '社区', 'community', above.id, above.path || 100 + n || '/', now()
    FROM generate_series(1, {communities}) AS n
    JOIN organization AS above ON above.id = 2 + n % {streets};
    INSERT INTO organization (id, code, name, kind, parent_id, path, created_at)
    SELECT 1000 + n, 'B' || n, '支部', 'branch', above.id, above.path || 1000 + n || '/', now()
    FROM generate_series(1, {branches}) AS n
    JOIN organization AS above ON above.id = 101 + n % {communities};
    INSERT INTO member (id, volunteer_no, name, kind, state, organization_id, handle,
                        display_mode, joined_at)
    SELECT n, 'V' || n, '王桂兰', 'volunteer', 'active', 1001 + n % {branches},
           decode(lpad(to_hex(n), 10, '0'), 'hex'), '', now()
    FROM generate_series(1, {members}) AS n;
    INSERT INTO belonging (member_id, organization_id, from_on)
    SELECT id, organization_id, DATE '2020-01-01' FROM member;
    SELECT setval(pg_get_serial_sequence('organization', 'id'), 1000 + {branches});
    SELECT setval(pg_get_serial_sequence('member', 'id'), {members})
"""

# Chance by arithmetic: the same rows each time, in no order of members.
ENTRIES = """
    INSERT INTO score_entry (cause, member_id, organization_id, item_id, category,
                             evaluation_hundredths, points, service_minutes, title, earned_on,
                             recorded_at)
    SELECT {prefix} || n, member.id, member.organization_id, item.id, item.category,
           item.evaluation_hundredths * (1 + hash % 3),
           CASE WHEN item.category = 'organization_life' THEN 0 ELSE 10 * (1 + hash % 3) END,
           60 * (1 + hash % 3), '河道清洁', {first_on}::date + (hash % {days})::int, now()
    FROM (SELECT n, abs(hashint8(n::bigint * 2654435761 + {seed})::bigint) AS hash
          FROM generate_series(1, {count}) AS n) AS drawn
    JOIN member ON member.id = 1 + (hash / 7) % {members}
    JOIN (SELECT id, category, evaluation_hundredths,
                 row_number() OVER (ORDER BY id) - 1 AS place, COUNT(*) OVER () AS items
          FROM scoring_item WHERE category <> 'deduction') AS item
        ON item.place = CASE WHEN hash % 10 < 7 THEN 0 ELSE hash % item.items END
"""


def write_district(connection: psycopg.Connection, members: int) -> None:
    """Write the tree and its members, fifty a branch."""
    words = {
        "streets": STREETS,
        "communities": COMMUNITIES,
        "branches": max(COMMUNITIES, members // BRANCH_MEMBERS),
        "members": members,
    }
    for statement in PLACES.split(";"):
        connection.execute(sql.SQL(statement).format(**_literals(words)))


def write_entries(
    connection: psycopg.Connection, *, members: int, count: int, seed: int, is_old: bool = False
) -> None:
    """Write so many entries of this year, or of the years before."""
    words: dict[str, int | str] = {
        "prefix": f"bench:{seed}:",
        "members": members,
        "count": count,
        "seed": seed,
        "first_on": OLD_DAY if is_old else FIRST_DAY,
        "days": OLD_DAYS if is_old else DAYS,
    }
    connection.execute(sql.SQL(ENTRIES).format(**_literals(words)))


def _literals(words: dict[str, int | str]) -> dict[str, sql.Composable]:
    return {name: sql.Literal(value) for name, value in words.items()}
