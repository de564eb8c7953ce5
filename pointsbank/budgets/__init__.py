"""Budgets: how many points each community may give out in a month, and what is owed.

Owns the administrators' view of issuing: the limits of a month, the warning before one is
reached, and the liability report. The count itself is the ledger's, charged in the posting. It
must never post points, and never show who holds them.
"""
