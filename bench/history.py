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

ACCOUNTS = """
    INSERT INTO account (kind, code)
    SELECT 'member', 'member:' || n FROM generate_series(1, {members}) AS n;
    INSERT INTO account (kind, code)
    SELECT 'merchant', 'merchant:' || n FROM generate_series(1, {merchants}) AS n;
    INSERT INTO account (kind, code) VALUES ('issue', 'issue:community:140303001002');
    CREATE TEMP TABLE place AS
    SELECT (SELECT MIN(id) FROM account WHERE kind = 'member') - 1 AS members,
           (SELECT MIN(id) FROM account WHERE kind = 'merchant') AS merchants,
           (SELECT MIN(id) FROM account WHERE kind = 'issue') AS issue
"""

# id runs over all members within each line: id = (line - 1) * members + member.
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
        SELECT id, (id - 1) % {members} + 1 AS member, (id - 1) / {members} + 1 AS line,
               TIMESTAMPTZ '{starts_at}' + id * INTERVAL '1 second' * {second_share} AS at
        FROM generate_series({first}::bigint, {last}::bigint) AS id
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
    SELECT id, '{expires_on}', {spent} FROM transfer WHERE kind = 'spend';
    INSERT INTO issue_budget (account_id, month, issued)
    SELECT source_id, to_char(recorded_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS month,
           SUM(points)
    FROM transfer WHERE kind = 'earn' GROUP BY source_id, month;
    SELECT setval(pg_get_serial_sequence('transfer', 'id'), {transfers})
"""

# A book of three years.
SECONDS_OF_PAST = 3 * 365 * 24 * 3600
CHUNK = 1_000_000


def write(database: Postgres, name: str, *, members: int, lines: int) -> None:
    """Fill a migrated database with so many members, each with so many lines."""
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
        "starts_at": STARTS_AT,
        "expires_on": EXPIRES_ON,
        "second_share": SECONDS_OF_PAST / transfers,
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
