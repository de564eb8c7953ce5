"""Later versions of the standard, published as they are: a draft first, then in force."""

from sqlalchemy import func, select

from pointsbank.scoring.models import ScoringItem, ScoringStandard
from tests.moments import NOON


def values_of(row, *left_out):
    return {
        column.key: getattr(row, column.key)
        for column in row.__table__.columns
        if column.key not in left_out
    }


def a_later_standard(session, valid_from, caps=None, gone=(), tables=None, is_draft=False):
    """Return the next version: as the last one, but for caps by item code, and items gone."""
    last = session.scalars(
        select(ScoringStandard).order_by(ScoringStandard.version.desc()).limit(1)
    ).one()
    version = session.scalar(select(func.max(ScoringStandard.version))) + 1
    values = values_of(last, "id", "version", "valid_from", "valid_to", "state", "name")
    made = ScoringStandard(
        **(values | ({"evaluation_tables": tables} if tables else {})),
        name=f"Version {version}",
        state="draft",
        version=None,
        valid_from=valid_from,
        valid_to=None,
    )
    session.add(made)
    session.flush()
    items = session.scalars(select(ScoringItem).where(ScoringItem.standard_id == last.id)).all()
    session.add_all(
        ScoringItem(
            **(values_of(item, "id", "standard_id") | (caps or {}).get(item.code, {})),
            standard_id=made.id,
        )
        for item in items
        if item.code not in gone
    )
    session.flush()
    if not is_draft:
        last.valid_to = valid_from
        made.state, made.version, made.published_at = "published", version, NOON
        session.flush()
    return made
