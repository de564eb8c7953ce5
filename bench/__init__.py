"""Measurements: each script starts what it needs, prints one table of ratios, and writes JSON
beside it.
"""
