"""The marketplace and its counters against a model in plain Python."""
