"""Rewards: what partner merchants offer for points, and its redemption at their counter.

Owns rewards, their stock and limits, and redemptions with their voids. The ledger moves the
points in the same transaction, with the wallet locked last. It must never know how points were
earned, and never show a clerk more of a person than a masked name.
"""
