"""What may happen in the small world: all its steps, each with how often it is taken."""

from proving.attendance import award_steps, claim_steps, scan_steps
from proving.attendance.deck import STEPS

PARTS = (claim_steps, scan_steps, award_steps)

__all__ = ["PARTS", "STEPS"]
