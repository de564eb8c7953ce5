"""Occasions come by the clock of POINTSBANK_TIMEZONE, whatever zone the machine is in."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from pointsbank.core.settings import ROOT
from pointsbank.jobs.foreseeing import next_slot
from pointsbank.jobs.table import JOBS
from tests.jobs.test_table import ZONE

# A year's end of the district, of Greenwich and of New York, and moments at which clocks in
# New York are set forward and back.
MOMENTS = (
    "2026-12-31T16:05:00+00:00",
    "2026-12-31T16:45:00+00:00",
    "2027-01-01T00:05:00+00:00",
    "2027-01-01T05:05:00+00:00",
    "2026-03-08T07:05:00+00:00",
    "2026-11-01T06:05:00+00:00",
)
TELL = """
import sys
from datetime import datetime
from zoneinfo import ZoneInfo
from pointsbank.jobs.foreseeing import next_slot
from pointsbank.jobs.table import JOBS
zone = ZoneInfo("Asia/Shanghai")
for moment in map(datetime.fromisoformat, sys.argv[1:]):
    for job in JOBS.values():
        for slot in (*job.due(moment, zone), next_slot(job, moment, zone)):
            print(moment.timestamp(), job.name, slot.key, slot.due_at.timestamp())
"""


def told_here():
    lines = []
    for moment in map(datetime.fromisoformat, MOMENTS):
        for job in JOBS.values():
            for slot in (*job.due(moment, ZONE), next_slot(job, moment, ZONE)):
                lines.append(
                    f"{moment.timestamp()} {job.name} {slot.key} {slot.due_at.timestamp()}"
                )
    return lines


@pytest.mark.parametrize("zone", ["America/New_York", "UTC"])
def test_processes_in_other_zones_tell_the_same_occasions(zone):
    said = subprocess.run(
        [sys.executable, "-c", TELL, *MOMENTS],
        cwd=ROOT,
        env={**os.environ, "TZ": zone},
        check=True,
        capture_output=True,
        text=True,
    )
    assert said.stdout.splitlines() == told_here()


def test_another_setting_gives_other_occasions():
    """The control: it is the setting that decides."""
    moment = datetime(2026, 12, 31, 16, 45, tzinfo=UTC)
    here = JOBS["expiry"].due(moment, ZONE)
    there = JOBS["expiry"].due(moment, ZoneInfo("America/New_York"))
    assert [slot.key for slot in here] == ["2027-01-01"]
    assert [slot.key for slot in there] == ["2026-12-31"]
