"""Which points may be given: the earned ones, whatever is done with those received."""

from hypothesis import given
from hypothesis import strategies as st

from pointsbank.passbooks.policy import Entry, Shares, giftable_points, shares_of


def book(*lines):
    """Return entries numbered from 1; a line is (kind, points) or (kind, points, reverses)."""
    return [Entry(number, *line) for number, line in enumerate(lines, start=1)]


def test_what_was_earned_may_be_given():
    assert giftable_points(book(("earn", 50), ("adjust_up", 5)), 55) == 55


def test_what_was_received_may_not_be_given_on():
    assert giftable_points(book(("earn", 50), ("gift_in", 30)), 80) == 50


def test_spending_and_donating_take_what_was_received_first():
    lines = [("earn", 50), ("gift_in", 30)]
    assert shares_of(book(*lines, ("spend", -20))) == Shares(own=50, given=10)
    assert shares_of(book(*lines, ("donate", -40))) == Shares(own=40, given=0)


def test_expiry_takes_what_was_earned_first():
    lines = [("earn", 50), ("gift_in", 30)]
    assert shares_of(book(*lines, ("expire", -20))) == Shares(own=30, given=30)
    assert shares_of(book(*lines, ("expire", -60))) == Shares(own=0, given=20)


def test_a_correction_takes_what_was_earned_first():
    lines = [("earn", 50), ("gift_in", 30)]
    assert shares_of(book(*lines, ("adjust_down", -20))) == Shares(own=30, given=30)
    assert shares_of(book(*lines, ("reversal", -50, 1))) == Shares(own=0, given=30)


def test_a_gift_that_is_given_away_is_of_what_was_earned():
    assert shares_of(book(("gift_in", 30), ("earn", 50), ("gift_out", -50))) == Shares(0, 30)


def test_receiving_spending_voiding_and_giving_launders_nothing():
    lines = [("gift_in", 50), ("spend", -50), ("reversal", 50, 2)]
    assert shares_of(book(*lines)) == Shares(own=0, given=50)
    assert giftable_points(book(*lines), 50) == 0


def test_a_void_of_a_mixed_spending_gives_back_both_shares():
    lines = [("gift_in", 30), ("earn", 50), ("spend", -60)]
    assert shares_of(book(*lines)) == Shares(own=20, given=0)
    assert shares_of(book(*lines, ("reversal", 60, 3))) == Shares(own=50, given=30)


def test_a_void_in_parts_gives_the_received_part_back_first():
    lines = [("gift_in", 30), ("earn", 50), ("spend", -60), ("reversal", 20, 3)]
    assert shares_of(book(*lines)) == Shares(own=20, given=20)
    lines.append(("reversal", 40, 3))
    assert shares_of(book(*lines)) == Shares(own=50, given=30)


def test_a_second_void_of_the_same_spending_gives_the_received_part_back_once():
    """Two spendings in a row: each gives back what it used itself."""
    lines = [
        ("gift_in", 50),
        ("earn", 50),
        ("spend", -50),
        ("spend", -50),
        ("reversal", 50, 4),
        ("reversal", 50, 3),
    ]
    assert shares_of(book(*lines[:5])) == Shares(own=50, given=0)
    assert shares_of(book(*lines)) == Shares(own=50, given=50)


def test_a_gift_that_is_taken_back_takes_what_was_received():
    lines = [("earn", 50), ("gift_in", 30), ("reversal", -30, 2)]
    assert shares_of(book(*lines)) == Shares(own=50, given=0)
    spent = [("earn", 50), ("gift_in", 30), ("spend", -20), ("reversal", -30, 2)]
    assert shares_of(book(*spent)) == Shares(own=30, given=0)


def test_a_gift_that_comes_back_is_one_s_own_again():
    lines = [("earn", 50), ("gift_out", -20), ("reversal", 20, 2)]
    assert shares_of(book(*lines)) == Shares(own=50, given=0)


def test_points_that_are_set_aside_cannot_be_given():
    assert giftable_points(book(("earn", 50), ("gift_in", 30)), 20) == 20
    assert giftable_points([], 0) == 0


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["earn", "gift_in", "spend", "donate", "expire", "adjust_down", "gift", "void"]
        ),
        st.integers(1, 60),
        st.integers(0, 30),
    ),
    max_size=40,
)


class Play:
    """A book in which each step stands that the balance allows."""

    def __init__(self):
        self.lines = []
        self.returned = {}

    @property
    def balance(self):
        return sum(line.points for line in self.lines)

    def write(self, kind, points, reverses_id=None):
        self.lines.append(Entry(len(self.lines) + 1, kind, points, reverses_id))

    def step(self, kind, points, pick):
        if kind in ("earn", "gift_in"):
            self.write(kind, points)
        elif kind == "gift":
            points = min(points, giftable_points(self.lines, self.balance))
            if points:
                self.write("gift_out", -points)
        elif kind == "void":
            self.void(points, pick)
        elif points <= self.balance:
            self.write(kind, -points)

    def void(self, points, pick):
        spent = [each for each in self.lines if each.kind in ("spend", "donate")]
        if not spent:
            return
        chosen = spent[pick % len(spent)]
        before = self.returned.get(chosen.transfer_id, 0)
        part = min(points, -chosen.points - before)
        if part:
            self.returned[chosen.transfer_id] = before + part
            self.write("reversal", part, chosen.transfer_id)


@given(STEPS)
def test_nobody_gives_more_than_they_earned(steps):
    play = Play()
    for step in steps:
        play.step(*step)
    lines = play.lines
    shares = shares_of(lines)
    assert shares.own >= 0
    assert shares.given >= 0
    assert shares.own + shares.given == sum(line.points for line in lines)
    earned = sum(line.points for line in lines if line.kind == "earn")
    assert -sum(line.points for line in lines if line.kind == "gift_out") <= earned
    received = sum(line.points for line in lines if line.kind == "gift_in")
    assert shares.given <= received


def test_without_the_given_part_coming_back_the_trick_would_work():
    """Control: a void that only ever gives back earned points lets a gift be given on."""
    lines = book(("gift_in", 50), ("spend", -50), ("reversal", 50, 2))
    naive = Shares()
    for line in lines:
        if line.kind == "gift_in" or line.points < 0:
            naive.given += line.points
        else:
            naive.own += line.points
    assert naive == Shares(own=50, given=0)
    assert giftable_points(lines, 50) == 0
