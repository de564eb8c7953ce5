"""Random histories of entries, moves and rules, and the standings that a naive sum finds."""
