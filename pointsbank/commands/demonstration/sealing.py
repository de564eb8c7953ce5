"""The demonstration's ledger sealed and verified, as a night's jobs would have left it."""

import random
from datetime import datetime

from pointsbank.core.db import reading, transaction
from pointsbank.jobs.verifying import keep_verified
from pointsbank.ledger.leaves import HASH_BYTES
from pointsbank.ledger.sealing import seal
from pointsbank.ledger.verifying import verify
from pointsbank.settlements.rules import RULES_OF_STATEMENTS

# Small blocks: there is something to page through, and a proof has a path worth looking at.
BLOCK_ROWS = 100


def seal_and_verify(dice: random.Random, now: datetime) -> None:
    """Seal every transfer and keep one verification."""
    sealed = BLOCK_ROWS
    while sealed:
        with transaction() as session:
            sealed = seal(session, now=now, salt=dice.randbytes(HASH_BYTES), limit=BLOCK_ROWS)
    with reading() as session:
        verified = verify(session, more=RULES_OF_STATEMENTS)
    with transaction() as session:
        keep_verified(session, verified, now, now)
