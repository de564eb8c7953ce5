"""A crash at each single call of the database: a redemption is kept whole or not at all."""

import pytest

from proving.each_call import reports

# make prove does all of them on both engines: voids, awards, gifts, orders and loans too.
FLOWS = {
    "sqlite": ["redeem", "settle_hold", "hand_over"],
    "postgresql": ["redeem", "redeem_step_by_step", "settle_hold"],
}


@pytest.mark.slow
def test_whatever_call_it_crashes_at_all_is_kept_or_none(
    create_database_from_template, engine_name, subtests
):
    *found, control = reports(create_database_from_template(), [*FLOWS[engine_name], "in_two"])
    # Control: what is done in two transactions is found in halves.
    assert any("a part was kept" in wrong for wrong in control["wrong"])
    assert [report["flow"] for report in found] == FLOWS[engine_name]
    for report in found:
        with subtests.test(flow=report["flow"]):
            assert report["wrong"] == []
            assert report["kept_nothing"] + report["kept_all"] == report["calls"]
            # After COMMIT it was carried out, though nobody was told; before, it was not.
            assert report["kept_all"] >= 1
            assert report["kept_nothing"] >= 2
