"""The JSON doors of the passbook."""
