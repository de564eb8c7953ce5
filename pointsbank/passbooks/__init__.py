"""Passbooks: a person's view of the ledger, the 积分存折.

Owns how lines, balances and expiry are shown to the one person they belong to.
It must never write to the ledger behind that person's back.
"""
