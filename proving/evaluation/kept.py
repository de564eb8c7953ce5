"""What the service keeps, as a plain connection reads it."""

import json
from typing import Any

BALANCE = """
    SELECT posted FROM wallet JOIN account ON account.id = wallet.account_id
    WHERE account.code = '{code}'
"""
STANDINGS = """
    SELECT member_id, organization_id, grid_id, table_name, is_exempt, is_vetoed,
           base_hundredths, bonus_hundredths, deduction_hundredths, evaluation_hundredths,
           points_earned, service_minutes, parts
    FROM member_standing WHERE period = '{period}' ORDER BY member_id
"""
COUNTS = """
    SELECT organization_id, measure, value, members FROM standing_count
    WHERE period = '{period}' AND members > 0
"""
ITEMS = """
    SELECT scoring_standard.version, scoring_standard.valid_from, scoring_item.code,
           scoring_item.category, hundredths_day_max, hundredths_week_max, hundredths_year_max,
           scoring_standard.evaluation_tables
    FROM scoring_item JOIN scoring_standard ON scoring_standard.id = scoring_item.standard_id
    WHERE scoring_standard.state = 'published' ORDER BY scoring_standard.version
"""
# What the ledger gave for awards, less what it took back of them.
EARNED = """
    SELECT wallet.code, SUM(CASE WHEN transfer.kind = 'reversal' THEN -transfer.points
                                 ELSE transfer.points END)
    FROM transfer
    JOIN account AS wallet ON wallet.id = transfer.wallet_id
    LEFT JOIN transfer AS original ON original.id = transfer.reverses_id
    WHERE COALESCE(original.key, transfer.key) LIKE 'award:%'
    GROUP BY wallet.code
"""


def told(row: Any) -> tuple[Any, ...]:
    """Return a stored standing in the order of naive.Row."""
    parts = json.loads(row[11]) if isinstance(row[11], str) else row[11]
    facts = ("category", "kind", "earned", "cap", "score", "entries", "points", "minutes")
    return (
        *row[:3],
        bool(row[3]),
        bool(row[4]),
        *row[5:11],
        tuple(tuple(part[fact] for fact in facts) for part in parts),
    )
