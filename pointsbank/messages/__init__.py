"""Messages: what the service has to tell one person, kept in their inbox.

Owns the inbox and the words of each kind of message. A message is written in the transaction
of what it tells about, so that neither is kept without the other. It must never hold a phone,
a code or another person's full name, and never sends anything outward by itself.
"""
