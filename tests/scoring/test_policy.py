"""From time to points: the rules of the standard, pure."""

import pytest

from pointsbank.scoring.models import Item
from pointsbank.scoring.policy import Award, award_for, worth_of

HOUR = Item(
    id=1,
    code="volunteer_hour",
    name="Volunteer service",
    name_zh="志愿服务",
    category="volunteer_service",
    unit="hour",
    points=10,
    evaluation_hundredths=50,
    counts_minutes=True,
    unit_minutes=30,
    share_min_percent=60,
    day_minutes_max=480,
)
PATROL = Item(
    id=2,
    code="night_patrol",
    name="Night patrol",
    name_zh="夜间平安巡逻",
    category="post_service",
    unit="shift",
    points=20,
    evaluation_hundredths=100,
    counts_minutes=True,
    unit_minutes=30,
    share_min_percent=60,
    day_minutes_max=480,
)


def of_hours(planned: int, actual: int, before: int = 0) -> Award:
    return award_for(
        HOUR, planned_minutes=planned, actual_minutes=actual, day_minutes_before=before
    )


@pytest.mark.parametrize(
    ("planned", "actual", "minutes", "points", "hundredths"),
    [
        (150, 150, 150, 25, 125),  # two and a half hours
        (150, 149, 120, 20, 100),  # a minute short of the last half hour
        (150, 90, 90, 15, 75),  # exactly 60 % of the plan
        (150, 400, 150, 25, 125),  # never more than planned
        (45, 45, 30, 5, 25),  # steps are rounded down
        (480, 480, 480, 80, 400),
        (600, 600, 480, 80, 400),  # a day counts eight hours
    ],
)
def test_an_hour_counts_in_steps(planned, actual, minutes, points, hundredths):
    assert of_hours(planned, actual) == Award(minutes, points, hundredths)


@pytest.mark.parametrize(("planned", "actual"), [(150, 89), (150, 0), (30, 29), (20, 20)])
def test_too_little_counts_for_nothing(planned, actual):
    assert of_hours(planned, actual) == Award(reason="too_short")


@pytest.mark.parametrize(
    ("before", "minutes"), [(0, 240), (240, 240), (300, 180), (360, 120), (450, 30)]
)
def test_a_day_fills_up(before, minutes):
    assert of_hours(240, 240, before).service_minutes == minutes


@pytest.mark.parametrize("before", [451, 480, 600])
def test_a_full_day_counts_no_more(before):
    assert of_hours(240, 240, before) == Award(reason="day_full")


def test_points_of_half_hours_are_rounded_down():
    flood = Item(**{**vars(HOUR), "points": 15, "evaluation_hundredths": 75})
    award = award_for(flood, planned_minutes=90, actual_minutes=90, day_minutes_before=0)
    assert award == Award(90, 22, 112)


@pytest.mark.parametrize(
    ("actual", "before", "award"),
    [
        (120, 0, Award(120, 20, 100)),
        (72, 0, Award(60, 20, 100)),
        (71, 0, Award(reason="too_short")),
        (500, 0, Award(120, 20, 100)),
        (120, 420, Award(60, 20, 100)),
        (120, 480, Award(0, 20, 100)),
    ],
)
def test_a_whole_shift_gives_a_fixed_sum(actual, before, award):
    assert (
        award_for(PATROL, planned_minutes=120, actual_minutes=actual, day_minutes_before=before)
        == award
    )


def test_an_item_may_count_no_time():
    wish = Item(**{**vars(PATROL), "counts_minutes": False})
    award = award_for(wish, planned_minutes=60, actual_minutes=60, day_minutes_before=0)
    assert award == Award(0, 20, 100)


def test_splitting_a_shift_never_gives_more(dice):
    for _ in range(2000):
        planned = dice.randrange(30, 600)
        whole = of_hours(planned, planned)
        first = dice.randrange(0, planned)
        one = of_hours(first, first)
        other = of_hours(planned - first, planned - first, one.service_minutes)
        assert one.points + other.points <= whole.points


FLOOD = Item(
    **{**vars(HOUR), "points": 15, "evaluation_hundredths": 75, "coefficient_percent_max": 150}
)


@pytest.mark.parametrize(
    ("percent", "rounding", "points", "hundredths"),
    [
        (100, "floor", 22, 112),  # 22.5 points and 112.5 hundredths for an hour and a half
        (100, "half_up", 23, 113),
        (110, "floor", 24, 123),  # 24.75, 123.75
        (110, "half_up", 25, 124),
        (150, "floor", 33, 168),  # 33.75, 168.75
        (150, "half_up", 34, 169),
        (200, "floor", 33, 168),  # cut at the item's bound
        (50, "floor", 22, 112),  # nothing is lowered
    ],
)
def test_a_coefficient_multiplies_points_and_evaluation(percent, rounding, points, hundredths):
    item = Item(**{**vars(FLOOD), "rounding": rounding})
    award = award_for(
        item,
        planned_minutes=90,
        actual_minutes=90,
        day_minutes_before=0,
        coefficient_percent=percent,
    )
    assert award == Award(90, points, hundredths)


@pytest.mark.parametrize(("bound", "award"), [(100, (20, 100)), (150, (30, 150))])
def test_a_coefficient_multiplies_a_shift_within_its_bound(bound, award):
    item = Item(**{**vars(PATROL), "coefficient_percent_max": bound})
    given = award_for(
        item,
        planned_minutes=120,
        actual_minutes=120,
        day_minutes_before=0,
        coefficient_percent=150,
    )
    assert (given.points, given.evaluation_hundredths, given.service_minutes) == (*award, 120)


def test_all_is_rounded_once():
    item = Item(**{**vars(HOUR), "points": 11, "coefficient_percent_max": 150})
    # 11 × 0.5 × 1.3 = 7.15; rounding before multiplying would give 5 × 1.3 = 6.
    assert worth_of(item, 30, 130)[0] == 7
