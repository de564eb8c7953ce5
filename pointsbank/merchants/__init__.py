"""Merchants: how a shop becomes a partner, on which terms, where it stands and when it is open.

Owns applications with their papers, contracts, shops and opening hours. The merchant itself is
a row of organizations, to which the terms in force are copied. It must never see who redeemed.
"""
