"""What reading the outbox and adding a webhook refuse."""
