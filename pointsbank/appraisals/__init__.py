"""Appraisals: what goes into a member's evaluation besides work.

Owns deductions, vetoes, exemptions and the counts of democratic appraisal. Each is entered by
one person and confirmed by another, with a document where the rule asks for one. It writes
score entries and never a total: what a period adds up to belongs to the rankings. It never
touches points.
"""
