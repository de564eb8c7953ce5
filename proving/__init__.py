"""Proofs that run for hours: the ledger against a model, and against real faults over HTTP."""
