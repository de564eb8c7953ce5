"""A district that is in use is migrated with everything in it, up and down, on both engines."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import MetaData, inspect, select, text

from pointsbank.core.db import db
from pointsbank.core.settings import Settings
from tests.databases import settings_for

# The first version that anybody could have used.
FIRST_IN_USE = "0009"
AT = datetime(2026, 11, 2, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)

# One row of each kind, in the order in which they point at each other.
ROWS: list[tuple[str, dict[str, Any]]] = [
    (
        "organization",
        {"id": 1, "code": "1", "name": "西社区", "kind": "community", "path": "/1/"}
        | {"created_at": AT},
    ),
    *(
        (
            "member",
            {"id": number, "volunteer_no": f"V{number}", "name": "王桂兰", "kind": "volunteer"}
            | {"state": "active", "organization_id": 1, "joined_at": AT}
            | {"handle": bytes([number] * 5)},
        )
        for number in (1, 2)
    ),
    (
        "merchant",
        {"id": 1, "name": "便民超市", "organization_id": 1, "kind": "shop", "state": "active"}
        | {"created_at": AT},
    ),
    (
        "member_role",
        {"id": 1, "member_id": 2, "role": "clerk", "merchant_id": 1, "granted_at": AT},
    ),
    ("account", {"id": 11, "kind": "issue", "code": "issue:1"}),
    ("account", {"id": 12, "kind": "member", "code": "member:1"}),
    ("account", {"id": 13, "kind": "merchant", "code": "merchant:1"}),
    ("wallet", {"account_id": 12, "posted": 5, "held": 0, "seq": 2}),
    *(
        (
            "transfer",
            {"id": number, "key": f"k{number}", "request_hash": b"h" * 32, "kind": kind}
            | {"source_id": source, "target_id": target, "points": points, "wallet_id": 12}
            | {"wallet_seq": number, "wallet_after": after, "occurred_at": AT}
            | {"recorded_at": AT, "reason": "平安巡逻"},
        )
        for number, kind, source, target, points, after in (
            (1, "earn", 11, 12, 20, 20),
            (2, "spend", 12, 13, 15, 5),
        )
    ),
    (
        "task",
        {"id": 1, "title": "平安巡逻", "kind": "patrol", "organization_id": 1}
        | {"organizer_id": 2, "scoring_item": "night_patrol", "summary": "", "risk_note": ""}
        | {"state": "open", "drafted_at": AT},
    ),
    (
        "shift",
        {"id": 1, "task_id": 1, "handle": b"h" * 5, "starts_at": AT, "ends_at": AT + 2 * HOUR}
        | {"places": 3, "claimed": 1, "place_name": "东门"},
    ),
    (
        "claim",
        {"id": 1, "shift_id": 1, "member_id": 1, "state": "claimed", "queue_no": 1}
        | {"claimed_at": AT},
    ),
    (
        "attendance",
        {"id": 1, "shift_id": 1, "member_id": 1, "claim_id": 1, "occurrence": 1}
        | {"state": "credited", "flags": [], "checked_in_at": AT}
        | {"checked_out_at": AT + 2 * HOUR},
    ),
    (
        "score_entry",
        {"id": 1, "cause": "award:1", "member_id": 1, "organization_id": 1, "item_id": 1}
        | {"category": "post_service", "evaluation_hundredths": 100, "points": 20}
        | {"service_minutes": 120, "title": "平安巡逻", "earned_on": date(2026, 11, 2)}
        | {"recorded_at": AT},
    ),
    (
        "reward",
        {"id": 1, "merchant_id": 1, "name": "食盐", "points": 15, "stock": 9}
        | {"state": "offered", "offered_at": AT},
    ),
    (
        "redemption",
        {"id": 1, "number": "R1", "merchant_id": 1, "reward_id": 1, "member_id": 1}
        | {"clerk_id": 2, "quantity": 1, "points": 15, "state": "completed", "transfer_id": 2}
        | {"balance_after": 5, "redeemed_at": AT, "redeemed_on": date(2026, 11, 2)},
    ),
]


@pytest.fixture
def settings(empty_database_url: str) -> Settings:
    """The service stands on an empty database here: these tests do the migrating."""
    return settings_for(empty_database_url)


def fill() -> None:
    """Write the rows as an application of that version would have left them."""
    known = MetaData()
    known.reflect(db.engine)
    with db.engine.begin() as connection:
        for table, row in ROWS:
            connection.execute(known.tables[table].insert().values(row))


def kept() -> dict[str, int]:
    """Return how many of the rows each table still holds, by what they said before."""
    known = MetaData()
    known.reflect(db.engine)
    found: dict[str, int] = {}
    with db.engine.connect() as connection:
        for name, row in ROWS:
            table = known.tables[name]
            same = [table.c[column] == row[column] for column in IDENTITY[name]]
            rows = connection.execute(select(table).where(*same)).all()
            found[name] = found.get(name, 0) + len(rows)
    return found


# What must be as it was, whatever a migration adds to a row.
IDENTITY = {
    "organization": ("id", "code", "name", "path"),
    "member": ("id", "volunteer_no", "name", "organization_id"),
    "merchant": ("id", "name", "organization_id"),
    "member_role": ("id", "member_id", "role", "merchant_id"),
    "account": ("id", "kind", "code"),
    "wallet": ("account_id", "posted", "seq"),
    "transfer": ("id", "key", "kind", "points", "wallet_after", "reason"),
    "task": ("id", "title", "organizer_id", "scoring_item"),
    "shift": ("id", "task_id", "places", "claimed", "place_name"),
    "claim": ("id", "shift_id", "member_id", "state"),
    "attendance": ("id", "shift_id", "member_id", "claim_id", "state"),
    "score_entry": ("id", "cause", "member_id", "points", "service_minutes"),
    "reward": ("id", "merchant_id", "name", "points", "stock"),
    "redemption": ("id", "number", "member_id", "points", "transfer_id"),
}


def expected() -> dict[str, int]:
    """Return how many rows each table was filled with."""
    tables = [table for table, _ in ROWS]
    return {table: tables.count(table) for table in tables}


def dangling() -> list[Any]:
    """Return rows that point at nothing; PostgreSQL never lets one be."""
    if db.engine.dialect.name != "sqlite":
        return []
    with db.engine.connect() as connection:
        return list(connection.execute(text("PRAGMA foreign_key_check")).all())


def test_a_district_in_use_is_brought_to_the_newest_version(app: Flask) -> None:
    with app.app_context():
        upgrade(revision=FIRST_IN_USE)
        fill()
        assert kept() == expected()
        upgrade()
        assert kept() == expected()
        assert dangling() == []


def test_and_back_again_with_what_the_old_version_knew(app: Flask) -> None:
    with app.app_context():
        upgrade(revision=FIRST_IN_USE)
        before = set(inspect(db.engine).get_table_names())
        fill()
        upgrade()
        downgrade(revision=FIRST_IN_USE)
        assert set(inspect(db.engine).get_table_names()) == before
        assert kept() == expected()
        assert dangling() == []


def test_foreign_keys_are_enforced_again_after_a_migration(app: Flask) -> None:
    with app.app_context():
        upgrade()
        if db.engine.dialect.name == "sqlite":
            with db.engine.connect() as connection:
                assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
