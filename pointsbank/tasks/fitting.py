"""How one person fits each role of a task, as its page and its answer tell them."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.core.calendar import local_day
from pointsbank.tasks.eligibility import Fitness, both, judge_eligibility
from pointsbank.tasks.fitness import people_of
from pointsbank.tasks.queries import ShiftLine, TaskLine


def fits_of(
    session: Session,
    task: TaskLine,
    shifts: Iterable[ShiftLine],
    member_id: int,
    zone: ZoneInfo,
) -> dict[int, Fitness]:
    """Return how a member fits each role of these shifts of a task, by the role's id.

    Ages and trainings are as of each shift's local day.
    """
    fits: dict[int, Fitness] = {}
    for shift in shifts:
        trees = {role.id: both(task.eligibility, role.eligibility) for role in shift.roles}
        if not any(trees.values()):
            fits |= dict.fromkeys(trees, Fitness(is_eligible=True))
            continue
        on = local_day(shift.starts_at, zone)
        person = people_of(session, [member_id], on)[member_id]
        fits |= {role: judge_eligibility(tree, person) for role, tree in trees.items()}
    return fits
