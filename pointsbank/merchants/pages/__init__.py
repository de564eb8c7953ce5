"""The HTML doors of merchants: applications, contracts, shops."""
