"""Pointsbank: a district's points bank, from the claimed task to the redeemed reward."""
