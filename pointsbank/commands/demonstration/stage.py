"""What every act of the demonstration needs: chance, the clock of the story, the settings."""

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from pointsbank.attendance.finding import Desk
from pointsbank.attendance.policy import Rules
from pointsbank.core.calendar import midnight
from pointsbank.core.settings import Settings
from pointsbank.rewards.till import NUMBER_DIGITS

# When every counter with usual hours is open, whether it closes at noon or not.
OPENS_AT, CLOSES_AT = 9, 18


@dataclass(frozen=True)
class Stage:
    """Chance, the settings and the clock; today is the local day of now."""

    dice: random.Random
    settings: Settings
    zone: ZoneInfo
    today: date
    now: datetime

    def moment(self, day: date, hour: int, minutes: float = 0) -> datetime:
        """Return a moment on a local day."""
        return midnight(day, self.zone) + timedelta(hours=hour, minutes=minutes)

    def ago(self, days: int, hour: int, minutes: float = 0) -> datetime:
        """Return a moment on the local day so many days ago."""
        return self.moment(self.today - timedelta(days=days), hour, minutes)

    def at_counters(self) -> datetime:
        """Return the newest moment at which counters are open: now, or when they closed."""
        hour = self.now.astimezone(self.zone).hour
        if OPENS_AT < hour < CLOSES_AT:
            return self.now
        return self.ago(0 if hour >= CLOSES_AT else 1, CLOSES_AT)

    def desk(self) -> Desk:
        """Return what scans are judged by."""
        rules = Rules(
            self.settings.check_in_opens_minutes, self.settings.check_out_stays_minutes
        )
        return Desk(self.settings.secret_key, rules, self.zone)

    def nonce(self) -> str:
        """Draw what a phone would draw for one scan."""
        return str(UUID(int=self.dice.getrandbits(128)))

    def digits(self, count: int) -> str:
        """Draw so many digits."""
        return f"{self.dice.randrange(10**count):0{count}d}"

    def number(self, day: date) -> str:
        """Draw what clerk and member read to each other of something on this day."""
        return f"{day:%y%m%d}{self.digits(NUMBER_DIGITS)}"
