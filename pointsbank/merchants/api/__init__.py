"""The JSON doors of merchants: applications, contracts, shops."""
