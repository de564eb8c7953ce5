"""The tests of Pointsbank."""
