"""Who may change whom."""

import pytest

from pointsbank.members.policy import may_change


@pytest.mark.parametrize(
    ("mine", "theirs", "may"),
    [
        (["/1/"], [], True),
        ([], [], True),
        (["/1/"], ["/1/"], True),
        (["/1/"], ["/1/5/"], True),
        (["/1/5/"], ["/1/"], False),
        (["/1/5/"], ["/1/5/", "/2/"], False),
        (["/1/"], ["/10/"], False),
        (["/1/"], ["/"], False),
        (["/"], ["/", "/1/"], True),
        ([], ["/1/"], False),
    ],
)
def test_nobody_changes_who_administers_more(mine, theirs, may):
    assert may_change(mine, theirs) is may
