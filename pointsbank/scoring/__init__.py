"""Scoring: what work counts, by which version of the standard, and the entries that came of it.

Owns scoring items, versioned scoring standards, the pure rules that turn time into minutes and
points, and the score entries every ranking is made of. Redeeming never touches an entry. It
must never know a shift or a scan: a caller tells it the plan and the time.
"""
