"""What must hold of accounts, holds, moves and budgets: each rule as one statement."""

# The first part of an account's code tells its kind; two accounts are alone of their kind.
KIND_OF_CODE = """
    CASE WHEN code LIKE 'member:%' THEN 'member'
         WHEN code LIKE 'care_fund:%' THEN 'fund'
         WHEN code LIKE 'merchant:%' THEN 'merchant'
         WHEN code LIKE 'issue:%' THEN 'issue'
         ELSE code END
"""

# Each statement selects a column named subject. Rules and their numbers: docs/ledger.md,
# "Invariants".
RULES_OF_ACCOUNTS = {
    "an account's kind agrees with its code": f"""
        SELECT 'account ' || id AS subject FROM account WHERE kind <> {KIND_OF_CODE}
    """,
    "members and funds have a wallet, and nobody else": """
        SELECT 'account ' || account.id AS subject FROM account
        LEFT JOIN wallet ON wallet.account_id = account.id
        WHERE (account.kind IN ('member', 'fund')) <> (wallet.account_id IS NOT NULL)
    """,
    "a settled hold has its transfer, and only a settled one": """
        SELECT 'hold ' || hold.id AS subject FROM hold
        LEFT JOIN transfer ON transfer.hold_id = hold.id
        WHERE (hold.state = 'settled') <> (transfer.id IS NOT NULL)
    """,
    "a hold pays out of its wallet, no more than it set aside": """
        SELECT 'hold ' || hold.id AS subject FROM hold
        JOIN transfer ON transfer.hold_id = hold.id
        WHERE transfer.source_id <> hold.wallet_id OR transfer.points > hold.points
           OR transfer.recorded_at >= hold.expires_at
    """,
    "a hold that is not open was decided at some moment": """
        SELECT 'hold ' || id AS subject FROM hold
        WHERE (state = 'open') <> (decided_at IS NULL)
    """,
    "what passes through the clearing account does not stay": """
        SELECT 'account ' || id AS subject FROM account
        WHERE kind = 'clearing'
          AND COALESCE((SELECT SUM(points) FROM transfer WHERE target_id = account.id), 0)
           <> COALESCE((SELECT SUM(points) FROM transfer WHERE source_id = account.id), 0)
    """,
    "budgets count what was issued": """
        SELECT 'account ' || id AS subject FROM account
        WHERE kind = 'issue'
          AND COALESCE(
                (SELECT SUM(points) FROM transfer
                 WHERE source_id = account.id AND reverses_id IS NULL), 0)
           <> COALESCE(
                (SELECT SUM(issued) FROM issue_budget WHERE account_id = account.id), 0)
    """,
    "only issuing accounts have budgets": """
        SELECT 'account ' || id AS subject FROM account
        WHERE kind <> 'issue'
          AND EXISTS (SELECT 1 FROM issue_budget WHERE account_id = account.id)
    """,
}
