"""Attendance: who came, shown by scans, and what the shift's settlement awards for it.

Owns scans (refused ones too), the attendance each pair of accepted scans adds up to, and
settlement, which hands the counted time to scoring and the points to the ledger, once. One
evaluator judges every scan. It must never change a claim except through tasks.
"""
