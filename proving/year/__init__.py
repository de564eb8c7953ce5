"""A simulated year of every job, interrupted and not, which must leave the same tables."""
