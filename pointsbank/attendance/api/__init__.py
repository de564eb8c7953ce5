"""The JSON doors of attendance."""
