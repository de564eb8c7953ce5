"""What setting a budget refuses."""
