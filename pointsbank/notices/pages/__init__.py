"""The HTML doors of notices."""
