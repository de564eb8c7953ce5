"""The HTML doors of attendance: the volunteer's scan, and the organizer's screens."""
