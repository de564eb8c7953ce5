"""The HTML doors of rewards: what members can have, the till, what a merchant offers."""
