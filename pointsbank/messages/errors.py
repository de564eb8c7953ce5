"""What the inbox refuses."""
