"""Core: Python tools that every room stands on and that know neither Flask's request nor a
domain.

Owns the database door, the clock, the kinds of refusal, settings, keys and tokens, the
calendar, the actor and the audit trail. It must never import another room.
"""
