"""What happens in the district: each act at its own moment, played in the order of time."""

import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count

Act = Callable[[datetime], None]


class Agenda:
    """Acts that wait for their moments; whoever acts may put down more."""

    def __init__(self, until: datetime) -> None:
        """Keep no act whose moment is after this one: it is still to come."""
        self._until = until
        self._waiting: list[tuple[datetime, int, Act]] = []
        self._order = count()

    def add(self, at: datetime, act: Act) -> None:
        """Put down an act, which is told its moment; of two at one moment in their order."""
        if at <= self._until:
            heapq.heappush(self._waiting, (at, next(self._order), act))

    def play(self) -> None:
        """Play every act, those that are put down meanwhile too."""
        while self._waiting:
            at, _, act = heapq.heappop(self._waiting)
            act(at)
