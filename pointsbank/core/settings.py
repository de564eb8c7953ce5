"""Settings: one frozen record, read once from POINTSBANK_* environment variables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parents[2]
SECRET_KEY_LENGTH_MIN = 32
ENVIRONMENTS = ("production", "development", "test")
SCHEMES = ("sqlite", "postgresql+psycopg")


class BadSettings(ValueError):
    """The environment does not describe a service that can be run safely."""


@dataclass(frozen=True)
class Settings:
    """What the operator decides; docs/running.md explains each."""

    database_url: str
    secret_key: str = field(repr=False)
    environment: str = "production"
    public_url: str = "http://127.0.0.1:8000"
    timezone: str = "Asia/Shanghai"
    port: int = 8000
    proxies: int = 0
    pool_size: int = 10
    staff_session_hours: int = 12
    member_session_days: int = 7
    check_in_opens_minutes: int = 30
    check_out_stays_minutes: int = 60
    ranking_visibility: str = "off"
    fen_per_point: int = 10
    pdf_font: str = ""
    log_level: str = "INFO"
    argon2_cheap: bool = False

    def __post_init__(self) -> None:
        """Refuse to run with a weak key, an unknown environment or an unsupported database."""
        if len(self.secret_key) < SECRET_KEY_LENGTH_MIN:
            raise BadSettings(
                f"POINTSBANK_SECRET_KEY needs at least {SECRET_KEY_LENGTH_MIN} characters; "
                "python -c 'import secrets; print(secrets.token_urlsafe(48))' makes one."
            )
        if self.environment not in ENVIRONMENTS:
            raise BadSettings(f"POINTSBANK_ENVIRONMENT is one of {', '.join(ENVIRONMENTS)}.")
        if self.database_url.split(":", 1)[0] not in SCHEMES:
            raise BadSettings(
                "POINTSBANK_DATABASE_URL starts with sqlite:/// or postgresql+psycopg://."
            )
        if self.fen_per_point < 1:
            raise BadSettings("POINTSBANK_FEN_PER_POINT is at least 1.")
        if self.argon2_cheap and self.environment == "production":
            raise BadSettings("POINTSBANK_ARGON2_CHEAP is for tests and demonstrations only.")
        if self.ranking_visibility not in (
            "off",
            "self_only",
            "secretaries",
            "published_notice",
        ):
            raise BadSettings(
                "POINTSBANK_RANKING_VISIBILITY is off, self_only, secretaries or "
                "published_notice."
            )

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which local days and periods are counted."""
        return ZoneInfo(self.timezone)

    @property
    def is_production(self) -> bool:
        """Whether cookies must be Secure and logs must be JSON."""
        return self.environment == "production"

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a single file with one writer at a time."""
        return self.database_url.startswith("sqlite")


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read every POINTSBANK_* variable that names a setting.

    Raises BadSettings with the variable's name.
    """
    values: dict[str, str | int | bool] = {}
    for name, kind in Settings.__annotations__.items():
        text = environment.get(f"POINTSBANK_{name.upper()}")
        if text is None or text == "":
            continue
        if kind is int:
            if not text.isascii() or not text.isdigit():
                raise BadSettings(f"POINTSBANK_{name.upper()} must be a whole number.")
            values[name] = int(text)
        elif kind is bool:
            values[name] = text.lower() in ("1", "true", "yes", "on")
        else:
            values[name] = text
    if "secret_key" not in values:
        raise BadSettings("POINTSBANK_SECRET_KEY is not set.")
    values.setdefault("database_url", f"sqlite:///{ROOT / 'instance' / 'pointsbank.db'}")
    return Settings(**values)  # type: ignore[arg-type]  # each value was read by its own kind
