"""A ledger with a long past, written straight into PostgreSQL's tables, right by every rule.

Member i's line j earns EARNED points where j is odd and spends SPENT where it is even; lines
are numbered over all members in turn, a moment apart, so that everyone's book grows evenly.
What takes weeks by the service takes minutes here, and ledger verify judges it like any other.
"""

import psycopg

from bench.servers import Postgres

EARNED, SPENT = 10, 5
MERCHANTS = 40
STARTS_AT = "2024-01-01 00:00:00+08"
EXPIRES_ON = "2099-12-31"
# A book of three years.
SECONDS_OF_PAST = 3 * 365 * 24 * 3600

ACCOUNTS = """
    INSERT INTO account (kind, code)
    SELECT 'merchant', 'merchant:' || n FROM generate_series(1, {merchants}) AS n
    ON CONFLICT (code) DO NOTHING;
    INSERT INTO account (kind, code) VALUES ('issue', 'issue:community:140303001002')
    ON CONFLICT (code) DO NOTHING;
    INSERT INTO account (kind, code)
    SELECT 'member', 'member:' || {others} + n FROM generate_series(1, {members}) AS n;
    CREATE TEMP TABLE place AS
    SELECT (SELECT id FROM account WHERE code = 'member:' || {others} + 1) - 1 AS members,
           (SELECT id FROM account WHERE code = 'merchant:1') AS merchants,
           (SELECT MIN(id) FROM account WHERE kind = 'issue') AS issue
"""

# Rows run over all members within each line: row = (line - 1) * members + member.
TRANSFERS = """
    INSERT INTO transfer (
        id, key, request_hash, kind, source_id, target_id, points, wallet_id, wallet_seq,
        wallet_after, occurred_at, recorded_at, expires_on, actor_id, reason
    )
    SELECT id,
           CASE WHEN line % 2 = 1 THEN 'award:' ELSE 'redeem:' END || id,
           sha256(int8send(id)),
           CASE WHEN line % 2 = 1 THEN 'earn' ELSE 'spend' END,
           CASE WHEN line % 2 = 1 THEN place.issue ELSE place.members + member END,
           CASE WHEN line % 2 = 1 THEN place.members + member
                ELSE place.merchants + id % {merchants} END,
           CASE WHEN line % 2 = 1 THEN {earned} ELSE {spent} END,
           place.members + member, line,
           ((line + 1) / 2) * {earned} - (line / 2) * {spent},
           at, at,
           CASE WHEN line % 2 = 1 THEN DATE '{expires_on}' END,
           1, CASE WHEN line % 2 = 1 THEN '河道清洁 · 1小时' ELSE '大米 1 袋' END
    FROM (
        SELECT {before} + n AS id, (n - 1) % {members} + 1 AS member,
               (n - 1) / {members} + 1 AS line,
               TIMESTAMPTZ '{starts_at}' + n * INTERVAL '1 second' * {second_share} AS at
        FROM generate_series({first}::bigint, {last}::bigint) AS n
    ) AS row, place
"""

BALANCES = """
    INSERT INTO wallet (account_id, posted, held, seq)
    SELECT place.members + n, {granted} - {used}, 0, {lines}
    FROM generate_series(1, {members}) AS n, place;
    INSERT INTO lot (wallet_id, expires_on, granted, used)
    SELECT place.members + n, '{expires_on}', {granted}, {used}
    FROM generate_series(1, {members}) AS n, place;
    INSERT INTO lot_use (transfer_id, expires_on, points)
    SELECT id, '{expires_on}', {spent} FROM transfer WHERE kind = 'spend' AND id > {before};
    INSERT INTO issue_budget (account_id, month, issued)
    SELECT source_id, to_char(recorded_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS month,
           SUM(points)
    FROM transfer WHERE kind = 'earn' AND id > {before} GROUP BY source_id, month
    ON CONFLICT (account_id, month)
    DO UPDATE SET issued = issue_budget.issued + excluded.issued;
    SELECT setval(pg_get_serial_sequence('transfer', 'id'), {before} + {transfers})
"""

CHUNK = 1_000_000


def write(
    database: Postgres,
    name: str,
    *,
    members: int,
    lines: int,
    others: int = 0,
    before: int = 0,
    starts_at: str = STARTS_AT,
    seconds: int = SECONDS_OF_PAST,
) -> None:
    """Fill a migrated database with so many members, each with so many lines.

    others, before: how many members and transfers an earlier call wrote. starts_at, seconds:
    the span of time in which the lines lie.
    """
    transfers = members * lines
    facts = {
        "members": members,
        "merchants": MERCHANTS,
        "lines": lines,
        "transfers": transfers,
        "earned": EARNED,
        "spent": SPENT,
        "granted": (lines + 1) // 2 * EARNED,
        "used": lines // 2 * SPENT,
        "others": others,
        "before": before,
        "starts_at": starts_at,
        "expires_on": EXPIRES_ON,
        "second_share": seconds / transfers,
    }
    with database.server.connect(name) as connection:
        # The rows are right by construction; foreign keys would be looked up one by one.
        connection.execute("SET session_replication_role = replica")
        several(connection, ACCOUNTS.format(**facts))
        for first in range(1, transfers + 1, CHUNK):
            last = min(first + CHUNK - 1, transfers)
            connection.execute(TRANSFERS.format(**facts, first=first, last=last))
        several(connection, BALANCES.format(**facts))
        connection.execute("VACUUM ANALYZE")


def several(connection: psycopg.Connection, statements: str) -> None:
    """Run statements one by one."""
    for statement in statements.split(";"):
        connection.execute(statement)
