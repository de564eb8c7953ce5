"""CPU time of a process, its living descendants, and those it has already buried."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Return user and system seconds of a process tree, from /proc."""
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # The name stands in brackets and may hold spaces; what follows it is numbers.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        own, parent = int(folder.name), int(fields[1])
        children.setdefault(parent, []).append(own)
        # utime, stime, cutime, cstime: the last two hold children that were waited for.
        ticks[own] = sum(int(field) for field in fields[11:15])
    total, waiting = 0, [pid]
    while waiting:
        current = waiting.pop()
        total += ticks.get(current, 0)
        waiting.extend(children.get(current, []))
    return total / TICKS
