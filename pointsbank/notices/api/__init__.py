"""The JSON doors of notices."""
