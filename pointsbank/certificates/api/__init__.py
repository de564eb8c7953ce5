"""The JSON doors of stars."""
