"""What the service's readers make of a text, beside what it must mean."""

from collections.abc import Callable, Iterable, Iterator

from pointsbank.attendance.codes import Sight, look_at, typed_number
from pointsbank.attendance.policy import Case, Rules, judge
from pointsbank.core.errors import Refusal
from pointsbank.members.codes import number_of_digits
from pointsbank.members.showing import hash_of_redemption_code
from proving.genuine import Meaning, World, member_number

RULES = Rules(opens_minutes=30, stays_minutes=60)
# Whose code it is when a person scans for themselves, and when the lead does at a station.
BY_ONESELF = ("venue", "poster")
AT_THE_STATION = ("personal", "card")


def complaints(world: World, text: str) -> list[str]:
    """Return what readers and judge get wrong about a text, nothing when all is right."""
    meaning = world.meaning(text)
    return [
        *_of(lambda: _seen(world, text, meaning)),
        *_of(lambda: _judged(world, text, meaning)),
        *_of(lambda: _redeemed(world, text, meaning)),
    ]


def _of(check: Callable[[], Iterable[str]]) -> list[str]:
    try:
        return list(check())
    except Exception as error:  # noqa: BLE001  # whatever is raised is the finding
        return [f"raised {type(error).__name__}"]


def _is_good(sight: Sight) -> bool:
    return sight.kind != "unknown" and sight.is_genuine and sight.is_fresh


def _seen(world: World, text: str, meaning: Meaning | None) -> Iterator[str]:
    sight = look_at(text, secret=world.secret, at=world.at, is_offline=world.offline)
    if meaning is None:
        if _is_good(sight):
            yield f"false accept as {sight.kind}"
        return
    if not _is_good(sight):
        yield f"false refusal of {meaning.kind}"
        return
    said = (sight.kind, sight.member_handle, sight.shift_handle, sight.direction)
    if said != (meaning.kind, meaning.member, meaning.shift, meaning.direction):
        yield f"{meaning.kind} read as something else"


def _judged(world: World, text: str, meaning: Meaning | None) -> Iterator[str]:
    """Judge as if everything but the code were in order."""
    for is_at_station in (False, True):
        sight = look_at(text, secret=world.secret, at=world.at, is_offline=world.offline)
        if is_at_station:
            sight = typed_number(sight)
        case = Case(
            at=world.at,
            kind=sight.kind,
            is_genuine=sight.is_genuine,
            is_fresh=sight.is_fresh,
            may_scan=is_at_station or sight.kind in BY_ONESELF,
            is_lead=is_at_station,
            is_at_station=is_at_station,
            claim="claimed",
            places_left=1,
            digits="right" if sight.kind == "poster" and not is_at_station else None,
        )
        kinds = AT_THE_STATION if is_at_station else BY_ONESELF
        is_meant = meaning is not None and meaning.kind in kinds
        if is_at_station and meaning is None:
            is_meant = member_number(text) is not None
        is_taken = judge(case, RULES).result != "refuse"
        if is_taken != is_meant:
            where = "at a station" if is_at_station else "by oneself"
            yield f"judged {'good' if is_taken else 'bad'} {where} as {sight.kind}"


def _redeemed(world: World, text: str, meaning: Meaning | None) -> Iterator[str]:
    number = meaning.number if meaning is not None else None
    try:
        found = hash_of_redemption_code(text, world.secret)
    except Refusal:
        if number is not None:
            yield "false refusal of redemption at a till"
        return
    if number is None:
        yield "false accept as redemption at a till"
    elif found != hash_of_redemption_code(digits_under(number), world.secret):
        yield "another redemption at a till"


def digits_under(number: str) -> str:
    """Return the digits under a number's code, found by the service's own check."""
    tries = (f"77{number}{last}" for last in range(10))
    return next(digits for digits in tries if number_of_digits(digits) == number)
