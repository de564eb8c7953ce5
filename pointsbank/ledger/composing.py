"""A spending as part of another room's one statement, on PostgreSQL.

A hot call looks first, then writes everything it has to in one statement, in one round trip,
outside any longer transaction. The ledger's share of that statement stands here, because no
other room writes its tables. It does what posting.POST_AT_ONCE and lots.TAKE_AT_ONCE do; the
one difference is that it needs the wallet to be as it was seen. Then nobody can have moved its
lots since, and reading them in the same snapshot is right. Whoever finds it changed posts step
by step.
"""

from pointsbank.ledger.lots import CHOOSE_EARLIEST
from pointsbank.ledger.posting import COLUMNS, Posting


def spending(after: str) -> str:
    """Return the common table expressions that spend once the expression named after has a row.

    They end in "transferred" (id, balance_after), which is empty when the wallet changed since
    it was seen. Their values come from spending_values.
    """
    return f"""
    moved AS (
        UPDATE wallet SET posted = posted - :points, seq = seq + 1
        FROM {after}
        WHERE account_id = :wallet_id AND seq = :wallet_seq AND posted - held >= :points
        RETURNING posted, seq
    ), transferred AS (
        INSERT INTO transfer ({COLUMNS})
        SELECT :transfer_key, :transfer_hash, 'spend', :wallet_id, :payee_id, :points,
               :wallet_id, seq, posted, CAST(NULL AS bigint), CAST(NULL AS bigint), :now, :now,
               CAST(NULL AS date), :actor_id, :reason
        FROM moved
        RETURNING id, wallet_after AS balance_after
    ), chosen AS (
        {CHOOSE_EARLIEST.replace(":transfer_id", "(SELECT id FROM transferred)")}
        RETURNING expires_on, points
    ), charged AS (
        UPDATE lot SET used = used + chosen.points
        FROM chosen
        WHERE lot.expires_on = chosen.expires_on AND lot.wallet_id = :wallet_id
    )"""


def spending_values(
    posting: Posting, *, wallet_id: int, wallet_seq: int, payee_id: int
) -> dict[str, object]:
    """Return the values of the expressions that spending() wrote, beside :now.

    wallet_id, wallet_seq: the wallet as it was seen. payee_id: the account of posting.target.
    """
    return {
        "transfer_key": posting.key,
        "transfer_hash": posting.body_hash(),
        "wallet_id": wallet_id,
        "wallet_seq": wallet_seq,
        "payee_id": payee_id,
        "points": posting.points,
        "actor_id": posting.actor_id,
        "reason": posting.reason,
    }
