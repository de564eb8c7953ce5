"""Places that a branch keeps for its people: one taken by a claim, one given back to it."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from pointsbank.tasks.models import GroupClaim


def take_group_place(session: Session, group_claim_id: int, role_id: int) -> bool:
    """Count one more of a group's places as taken, if it still keeps one of this role.

    The shift and the role counted it when the group began to keep it, and count nothing more
    now. Called under the lock of the shift.
    """
    taken = session.execute(
        update(GroupClaim)
        .where(
            GroupClaim.id == group_claim_id,
            GroupClaim.role_id == role_id,
            GroupClaim.released_at.is_(None),
            GroupClaim.taken < GroupClaim.places,
        )
        .values(taken=GroupClaim.taken + 1)
        .returning(GroupClaim.id)
    ).first()
    return taken is not None


def give_group_place_back(session: Session, group_claim_id: int) -> bool:
    """Count one place of a group less as taken, and tell whether the group keeps it.

    False: the group keeps places no more, so the place is everyone's; the caller frees it.
    Called under the lock of the shift.
    """
    row = session.execute(
        update(GroupClaim)
        .where(GroupClaim.id == group_claim_id)
        .values(taken=GroupClaim.taken - 1)
        .returning(GroupClaim.released_at)
    ).one()
    return row.released_at is None
