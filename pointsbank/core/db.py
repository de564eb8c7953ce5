"""The database: declarative base, column types, engine hooks, the one door for transactions."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, BigInteger, DateTime, Engine, Integer, MetaData, event
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.types import TypeDecorator

from pointsbank.core.turns import Turns

T = TypeVar("T")

BUSY_TIMEOUT_MS = 5000
TRIES_MAX = 4

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """An aware UTC moment on both engines; a naive one is our own mistake and raises."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; SQLite keeps no offset, so it is taken off there."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs an offset")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return UTC, whatever the session's time zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite numbers rows by itself only where the key is spelled INTEGER.
BigId = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """Flask-SQLAlchemy builds its own base from this class's contents."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={datetime: Moment(), int: BigId, dict[str, Any]: JSON()},
    )


db = SQLAlchemy(model_class=Base)

if TYPE_CHECKING:

    class Model(Base):
        """What db.Model is at run time."""

        __abstract__ = True

        def __init__(self, **values: Any) -> None: ...

else:
    Model = db.Model


def one_of(column: str, values: tuple[str, ...]) -> str:
    """Return the SQL condition that a column holds one of these words."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def engine_options(database_url: str, pool_size: int) -> dict[str, Any]:
    """Return the options of the engine for this database."""
    options: dict[str, Any] = {
        "json_serializer": lambda value: json.dumps(value, ensure_ascii=False, sort_keys=True),
        "pool_size": pool_size,
        "max_overflow": pool_size,
        "pool_timeout": 15,
        # Otherwise a fault in the log would show names and phones among a statement's values.
        "hide_parameters": True,
    }
    if database_url.startswith("postgresql"):
        # A ping would cost every request a round trip; a connection that the server closed
        # costs one refused request, which the phone sends again.
        options["pool_pre_ping"] = False
        options["connect_args"] = {"connect_timeout": 5, "options": "-c timezone=UTC"}
    return options


def hook_engine(engine: Engine) -> None:
    """Give a SQLite engine the settings under which it loses nothing; once an engine.

    The stock driver begins late and loses money: measured, four writers, 8017 where 8000 was
    right.
    """
    if engine.dialect.name != "sqlite":
        return
    turns = Turns(Path(engine.url.database or "memory"))
    engine.info_turns = turns  # type: ignore[attr-defined]

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def transaction() -> Iterator[Session]:
    """Run one use case as one transaction: all of it is kept, or none. Never nested."""
    session: Session = db.session()
    if session.info.get("in_use_case"):
        raise RuntimeError("transaction() opened inside another")
    turns: Turns | None = getattr(db.engine, "info_turns", None)
    with turns.wait() if turns else nullcontext():
        session.info["in_use_case"] = True
        try:
            session.connection(execution_options={"writes": True})
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.info["in_use_case"] = False
            session.close()


@contextmanager
def reading() -> Iterator[Session]:
    """Read within one snapshot of the database (SQLite) or statement by statement (PostgreSQL).

    It ends with COMMIT, because psycopg forgets every prepared statement on ROLLBACK.
    """
    session: Session = db.session()
    if session.info.get("in_use_case"):
        raise RuntimeError("reading() opened inside a transaction")
    session.info["in_use_case"] = True
    try:
        yield session
        if session.new or session.dirty or session.deleted:
            raise RuntimeError("reading() was used to write")
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info["in_use_case"] = False
        session.close()


@contextmanager
def glance() -> Iterator[Connection]:
    """Read by single statements, each a transaction of its own, without BEGIN and COMMIT.

    For the look-ups that stand before every request; whatever needs two statements to agree
    uses reading().
    """
    engine = db.engine
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            yield connection
            connection.commit()
    else:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection


def run(use_case: Callable[[Session], T]) -> T:
    """Run a use case as one transaction, again from its beginning when it lost a race.

    A race shows as a unique violation, a deadlock or a serialization failure; in the new
    snapshot the use case finds what the winner wrote and answers accordingly. After four tries
    the error stands.
    """
    for attempt in range(1, TRIES_MAX + 1):
        try:
            with transaction() as session:
                return use_case(session)
        except IntegrityError as error:
            if attempt == TRIES_MAX or not is_unique_violation(error):
                raise
        except OperationalError as error:
            if attempt == TRIES_MAX or state_of(error) not in ("40001", "40P01"):
                raise
    raise AssertionError("unreachable")


def state_of(error: DBAPIError) -> str | None:
    """Return PostgreSQL's five-character error state, None on SQLite."""
    return getattr(error.orig, "sqlstate", None)


def is_unique_violation(error: IntegrityError) -> bool:
    """Tell a broken unique constraint from every other broken constraint."""
    return state_of(error) == "23505" or "UNIQUE constraint failed" in str(error.orig)
