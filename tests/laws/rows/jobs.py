"""Who may see how the scheduler's jobs stand, and ask for a run: who stands over everything."""

from itertools import cycle

from pointsbank.jobs.table import JOBS
from tests.laws.doors import Row, door, form
from tests.laws.world import SHARED, Kind

WHOLE = ("first administrator",)

# Another one each time, so that nobody finds that somebody asked for it before.
_NAMES = cycle(sorted(JOBS))
JOB = Kind(SHARED, lambda *_given: next(_NAMES))

ROWS: list[Row] = [
    door("GET", "/api/v1/jobs", WHOLE),
    door("GET", "/api/v1/jobs/<string:job>/runs", WHOLE, job=JOB),
    door("POST", "/api/v1/jobs/<string:job>/runs", WHOLE, job=JOB),
    door("GET", "/operations/jobs", WHOLE),
    door("GET", "/operations/jobs/<string:job>", WHOLE, job=JOB),
    door("POST", "/operations/jobs/<string:job>/runs", WHOLE, form(), job=JOB),
]
