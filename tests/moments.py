"""The moments that tests happen at."""

from datetime import datetime, timedelta, timezone

DISTRICT_TIME = timezone(timedelta(hours=8))

# A Saturday, in the middle of a quarter: no test stands on the edge of a period by accident.
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=DISTRICT_TIME)

# Names the file that says by how many seconds a story's service runs ahead (tests/ahead.py).
AHEAD_VARIABLE = "POINTSBANK_TEST_AHEAD"
