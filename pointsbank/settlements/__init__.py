"""Settlements: a merchant's month as a statement that both sides sign, and reports over all.

Owns statements and their lines. Every transfer to or from a merchant stands on exactly one
line, and the totals are the ledger's. It must never change what a counter did.
"""
