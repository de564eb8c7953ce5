"""What must hold of statements and the ledger: each rule as one query of offenders."""

# Points times rate, rounded half up below zero too, in whole numbers on both engines.
WORTH = "COALESCE(SUM(line.points * line.rate_fen), 0)"
AMOUNT = f"({WORTH} + 50 - (({WORTH} + 50) % 100 + 100) % 100) / 100"

# Each statement selects a column named subject. What they prove: docs/settlement.md.
RULES_OF_STATEMENTS = {
    "what a merchant took before a cut-off is on a line": """
        SELECT 'transfer ' || transfer.id AS subject FROM (
            SELECT account.id AS account_id, MAX(statement.cut_at) AS cut_at
            FROM statement
            JOIN account ON account.code = 'merchant:' || statement.merchant_id
            GROUP BY account.id
        ) AS settled
        JOIN transfer ON (transfer.target_id = settled.account_id
                          OR transfer.source_id = settled.account_id)
            AND transfer.recorded_at < settled.cut_at
        LEFT JOIN statement_line ON statement_line.transfer_id = transfer.id
        WHERE statement_line.transfer_id IS NULL
    """,
    "a statement's line is its transfer": """
        SELECT 'statement ' || line.statement_id || ' line ' || line.no AS subject
        FROM statement_line AS line
        JOIN statement ON statement.id = line.statement_id
        LEFT JOIN account ON account.code = 'merchant:' || statement.merchant_id
        LEFT JOIN transfer ON transfer.id = line.transfer_id
        WHERE line.points <> CASE WHEN transfer.target_id = account.id THEN transfer.points
                                  WHEN transfer.source_id = account.id THEN -transfer.points
                                  ELSE 0 END
           OR transfer.recorded_at >= statement.cut_at
    """,
    "a statement's totals are those of its lines": f"""
        SELECT 'statement ' || statement.id AS subject FROM statement
        LEFT JOIN statement_line AS line ON line.statement_id = statement.id
        GROUP BY statement.id, statement.line_count, statement.redeemed_points,
                 statement.voided_points, statement.amount_fen, statement.correction_fen
        HAVING statement.line_count <> COUNT(line.no)
            OR statement.line_count <> COALESCE(MAX(line.no), 0)
            OR statement.redeemed_points
                <> COALESCE(SUM(CASE WHEN line.points > 0 THEN line.points ELSE 0 END), 0)
            OR statement.voided_points
                <> COALESCE(SUM(CASE WHEN line.points < 0 THEN -line.points ELSE 0 END), 0)
            OR statement.amount_fen <> {AMOUNT}
            OR statement.correction_fen <> COALESCE(SUM(line.correction_fen), 0)
    """,
}
