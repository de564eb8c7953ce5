"""Settlement: what a shift awards, once, and what it holds for review."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pointsbank.attendance.errors import ShiftNotOver
from pointsbank.attendance.models import Attendance
from pointsbank.attendance.policy import minutes_of_presence
from pointsbank.attendance.queries import SheetLine, sheet_lines
from pointsbank.budgets.issuing import open_issuer, warn_of_budget
from pointsbank.core.audit import note
from pointsbank.core.calendar import end_of_next_year, local_day, local_month
from pointsbank.ledger.batching import post_many
from pointsbank.ledger.budgets import budget_left
from pointsbank.ledger.models import Account
from pointsbank.ledger.posting import Posting
from pointsbank.members.models import Member
from pointsbank.scoring.models import Item
from pointsbank.scoring.policy import Award, award_for
from pointsbank.scoring.queries import Standard, minutes_counted_on, standard_on
from pointsbank.scoring.service import record_entry
from pointsbank.tasks.claiming import locked_shift
from pointsbank.tasks.errors import NotOpen
from pointsbank.tasks.queries import ShiftLine, TaskLine, shift_of

MISSING_CHECK_OUT = "missing_check_out"
OWN_SHIFT = "own_shift"
CLAIM_GIVEN_UP = "claim_given_up"
BUDGET_SPENT = "budget_spent"


@dataclass(frozen=True)
class Awarded:
    """One person's points and counted minutes."""

    member_id: int
    points: int
    service_minutes: int


@dataclass(frozen=True)
class Held:
    """One person whose work waits for review, and why."""

    member_id: int
    reason: str


@dataclass(frozen=True)
class Settlement:
    """All that was settled of a shift so far, each list in the order of the wallets."""

    awarded: tuple[Awarded, ...]
    held: tuple[Held, ...]


def award_of(line: SheetLine, shift: ShiftLine, item: Item, day_minutes_before: int) -> Award:
    """Return what a person of the sheet would get; nothing, with its reason, when that is
    held."""
    if line.checked_in_at is None or line.checked_out_at is None:
        return Award(reason=MISSING_CHECK_OUT)
    if line.claim_state == "withdrawn":
        return Award(reason=CLAIM_GIVEN_UP)
    return award_for(
        item,
        planned_minutes=shift.planned_minutes,
        actual_minutes=minutes_of_presence(
            line.checked_in_at, line.checked_out_at, shift.starts_at, shift.ends_at
        ),
        day_minutes_before=day_minutes_before,
    )


def shift_rules(
    session: Session,
    lines: Sequence[SheetLine],
    shift: ShiftLine,
    task: TaskLine,
    zone: ZoneInfo,
) -> tuple[Item, dict[int, int]]:
    """Return the scoring item of a shift, and the minutes that day already counts for each
    person."""
    day = local_day(shift.starts_at, zone)
    item = standard_on(session, day).item(task.scoring_item)
    return item, minutes_counted_on(session, [line.member_id for line in lines], day)


def reason_text(title: str, service_minutes: int) -> str:
    """Return the line that is printed in the passbook: 河道清洁 · 2小时30分."""
    hours, minutes = divmod(service_minutes, 60)
    words = f"{hours}小时" * bool(hours) + f"{minutes}分" * bool(minutes)
    return f"{title} · {words}" if words else title


def settle_shift(
    session: Session,
    *,
    shift_id: int,
    actor_id: int,
    paths: Sequence[str],
    zone: ZoneInfo,
    now: datetime,
) -> Settlement:
    """Award everyone who came and went, hold the rest, and return all that is settled.

    paths: what the settling person organizes; nobody awards themself. A repeat changes nothing
    of what is settled and answers the same; only those who wait for the month's issue budget
    are judged again. Two at once meet at the shift's row.
    Raises ShiftNotFound, ShiftNotOver, NotOpen for a task that was called off.
    """
    shift, task = shift_of(session, shift_id, paths)
    if task.state != "open":
        raise NotOpen
    locked_shift(session, shift_id)
    lines = [line for line in sheet_lines(session, shift_id) if line.attendance_id is not None]
    if now < shift.ends_at and not have_all_left(lines):
        raise ShiftNotOver
    wallets = _wallets(session, [line.member_id for line in lines])
    lines.sort(key=lambda line: wallets[line.member_id])
    waiting = [line for line in lines if is_to_settle(line, actor_id)]
    if waiting:
        _settle(session, waiting, shift, task, actor_id=actor_id, zone=zone, now=now)
        settled = {line.attendance_id: line for line in sheet_lines(session, shift_id)}
        lines = [settled[line.attendance_id] for line in lines]
    return Settlement(
        tuple(
            Awarded(line.member_id, line.points or 0, line.service_minutes or 0)
            for line in lines
            if line.state == "credited"
        ),
        tuple(
            Held(line.member_id, line.held_reason or "")
            for line in lines
            if line.state == "held"
        ),
    )


def have_all_left(lines: Sequence[SheetLine]) -> bool:
    """Tell whether a shift ended before its time: people came, and nobody is still there."""
    return bool(lines) and all(line.checked_out_at is not None for line in lines)


def is_to_settle(line: SheetLine, actor_id: int) -> bool:
    """Tell whether settling decides about a line: a new one, or one that waits for the budget.

    Somebody's own line goes on waiting for the budget: settling it themself would end that.
    """
    if line.settled_at is None:
        return True
    return waits_for_budget(line) and line.member_id != actor_id


def waits_for_budget(line: SheetLine) -> bool:
    """Tell whether a line is held only until the month's issue budget has room for it."""
    return line.held_reason == BUDGET_SPENT


def within_budget(
    lines: Sequence[SheetLine], awards: Mapping[int, Award], left: int | None
) -> dict[int, Award]:
    """Return what each gets when only so many points may still be issued, by member.

    Whoever came first is awarded first; whose points do not fit is held as a whole.
    """
    kept = dict(awards)
    if left is None:
        return kept
    paid = [line for line in lines if line.checked_in_at and kept[line.member_id].points]
    for line in sorted(paid, key=lambda line: (line.checked_in_at, line.claim_id)):
        points = kept[line.member_id].points
        if points > left:
            kept[line.member_id] = Award(reason=BUDGET_SPENT)
        else:
            left -= points
    return kept


def _wallets(session: Session, member_ids: Sequence[int]) -> dict[int, int]:
    """Return each member's wallet id: the order in which wallets are locked everywhere."""
    codes = {f"member:{member_id}": member_id for member_id in member_ids}
    rows = session.execute(
        select(Account.code, Account.id).where(Account.code.in_(list(codes)))
    )
    return {codes[row.code]: row.id for row in rows}


def _settle(
    session: Session,
    waiting: Sequence[SheetLine],
    shift: ShiftLine,
    task: TaskLine,
    *,
    actor_id: int,
    zone: ZoneInfo,
    now: datetime,
) -> None:
    day = local_day(shift.starts_at, zone)
    standard = standard_on(session, day)
    item = standard.item(task.scoring_item)
    organizations = _locked_members(session, [line.member_id for line in waiting])
    # Read under the members' locks: another shift of the same day may be settled at this
    # moment.
    before = minutes_counted_on(session, list(organizations), day)
    awards = {
        line.member_id: Award(reason=OWN_SHIFT)
        if line.member_id == actor_id
        else award_of(line, shift, item, before.get(line.member_id, 0))
        for line in waiting
    }
    issuer, month = open_issuer(session, task.organization_id), local_month(now, zone)
    left = budget_left(session, issuer.code, month, lock=True)
    awards = within_budget(waiting, awards, left)
    waiting = [line for line in waiting if not _goes_on_waiting(line, awards[line.member_id])]
    for line in waiting:
        award = awards[line.member_id]
        if award.reason is None:
            record_entry(
                session,
                cause=f"award:{line.claim_id}",
                member_id=line.member_id,
                organization_id=organizations[line.member_id],
                item=item,
                award=award,
                title=reason_text(task.title, award.service_minutes),
                earned_on=day,
                now=now,
            )
    paid = [
        line
        for line in waiting
        if awards[line.member_id].reason is None and awards[line.member_id].points
    ]
    posted = post_many(
        session,
        [
            _posting(
                line, awards[line.member_id], task, shift, issuer.code, actor_id, zone, now
            )
            for line in paid
        ],
        now,
    )
    transfers = {line.member_id: each.id for line, each in zip(paid, posted, strict=True)}
    for line in waiting:
        award, transfer_id = awards[line.member_id], transfers.get(line.member_id)
        _mark(session, line, award, standard, transfer_id, actor_id, now)
    is_short = any(award.reason == BUDGET_SPENT for award in awards.values())
    warn_of_budget(session, issuer, month, now, is_short=is_short)
    if waiting:
        _note(session, shift.id, [awards[line.member_id] for line in waiting], actor_id, now)


def _goes_on_waiting(line: SheetLine, award: Award) -> bool:
    """Tell whether a line waited for the budget before and still does: nothing changed."""
    return waits_for_budget(line) and award.reason == BUDGET_SPENT


def _note(
    session: Session, shift_id: int, awards: Sequence[Award], actor_id: int, now: datetime
) -> None:
    note(
        session,
        at=now,
        actor_id=actor_id,
        action="shift_settled",
        subject=("shift", shift_id),
        credited=sum(award.reason is None for award in awards),
        held=sum(award.reason is not None for award in awards),
        points=sum(award.points for award in awards),
    )


def _locked_members(session: Session, member_ids: Sequence[int]) -> dict[int, int]:
    """Lock members in the order of their ids and return where each belongs now.

    Foreign keys to a member do not wait for this lock: it is not one on the key.
    """
    rows = session.execute(
        select(Member.id, Member.organization_id)
        .where(Member.id.in_(member_ids))
        .order_by(Member.id)
        .with_for_update(key_share=True)
    )
    return {row.id: row.organization_id for row in rows}


def _posting(
    line: SheetLine,
    award: Award,
    task: TaskLine,
    shift: ShiftLine,
    issuer: str,
    actor_id: int,
    zone: ZoneInfo,
    now: datetime,
) -> Posting:
    wallet = f"member:{line.member_id}"
    return Posting(
        key=f"award:{line.claim_id}",
        kind="earn",
        source=issuer,
        target=wallet,
        wallet=wallet,
        points=award.points,
        occurred_at=line.checked_out_at or shift.ends_at,
        reason=reason_text(task.title, award.service_minutes),
        actor_id=actor_id,
        expires_on=end_of_next_year(local_day(shift.starts_at, zone)),
        budget_month=local_month(now, zone),
    )


def _mark(
    session: Session,
    line: SheetLine,
    award: Award,
    standard: Standard,
    transfer_id: int | None,
    actor_id: int,
    now: datetime,
) -> None:
    session.execute(
        update(Attendance)
        .where(Attendance.id == line.attendance_id)
        .values(
            state="held" if award.reason else "credited",
            settled_at=now,
            settled_by_id=actor_id,
            held_reason=award.reason,
            service_minutes=None if award.reason else award.service_minutes,
            points=None if award.reason else award.points,
            standard_id=standard.id,
            transfer_id=transfer_id,
        )
    )
