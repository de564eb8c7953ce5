"""The HTML doors of stars."""
