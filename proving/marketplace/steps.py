"""What may happen in the small marketplace: all its steps, each with how often it is taken."""

from proving.marketplace import (
    counter_steps,
    merchant_steps,
    order_steps,
    statement_steps,
    time_steps,
)
from proving.marketplace.deck import STEPS

PARTS = (counter_steps, order_steps, merchant_steps, statement_steps, time_steps)

__all__ = ["PARTS", "STEPS"]
