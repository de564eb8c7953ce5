"""Outbox: what other systems may read of the ledger, in order, each position once.

Owns the numbered sequence of sealed transfers and the webhooks that carry it outward. It is fed
from sealed blocks alone, so that nothing is told that may still be undone. It must never call
out within a transaction that changes points, and never call a private address.
"""
