"""What is done at a counter beside the plain redemption, to be crashed at each of its calls."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

from pointsbank.core import clock
from pointsbank.core.db import reading, transaction
from pointsbank.core.keys import draw_token
from pointsbank.members.codes import CONFIRM_ABOVE
from tests.builders import a_reward, redemption_code, with_points

if TYPE_CHECKING:
    from proving.each_call import Stage

Act = Callable[[], bool]

DEPOSIT = 30
# Each round spends; no round of them may be refused for the day or for the balance.
PURSE = 1_000


def order(stage: "Stage") -> Act:
    """Points and two pieces set aside, with a voucher."""
    _fill_purse(stage)
    path, key = f"/rewards/{stage.own['reward_id']}/orders", draw_token()
    return lambda: stage.send(path, stage.member["token"], {"quantity": 2}, key)


def hand_over(stage: "Stage") -> Act:
    """One of two pieces handed over against a voucher; the other is held anew."""
    _fill_purse(stage)
    made = stage.app.test_client().post(
        f"/api/v1/rewards/{stage.own['reward_id']}/orders",
        json={"quantity": 2},
        headers={
            "Authorization": f"Bearer {stage.member['token']}",
            "Idempotency-Key": draw_token(),
        },
    )
    path, key = f"/vouchers/{made.get_json()['voucher']}/redemption", draw_token()
    return lambda: stage.send(path, stage.own["clerk"], {"quantity": 1}, key)


def call_off(stage: "Stage") -> Act:
    """An order that its member calls off."""
    order(stage)()
    path = f"/orders/{_newest(stage, 'reward_order')}/cancellation"
    return lambda: stage.send(path, stage.member["token"], None, draw_token())


def confirm(stage: "Stage") -> Act:
    """A deal above 200 points, to which its member says yes."""
    return _deciding(stage, "confirm")


def decline(stage: "Stage") -> Act:
    """A deal above 200 points, to which its member says no."""
    return _deciding(stage, "decline")


def _deciding(stage: "Stage", decision: str) -> Act:
    _fill_purse(stage)
    body = {
        "merchant_id": stage.own["merchant_id"],
        "points": CONFIRM_ABOVE + 1,
        "code": _code(stage),
    }
    stage.send("/redemptions", stage.own["clerk"], body, draw_token())
    path = f"/redemptions/{_newest(stage, 'redemption')}/confirmation"
    body = {"decision": decision}
    return lambda: stage.send(path, stage.member["token"], body, draw_token())


def settle_loan(stage: "Stage") -> Act:
    """A tool that comes back damaged: a part of its deposit is kept."""
    _fill_purse(stage)
    with stage.app.app_context(), transaction() as session:
        tool = a_reward(
            session,
            stage.own["merchant_id"],
            "电钻",
            DEPOSIT,
            5,
            kind="loan",
            loan_days=7,
            now=clock.now(),
        )
    body = {"merchant_id": stage.own["merchant_id"], "reward_id": tool, "code": _code(stage)}
    stage.send("/loans", stage.own["clerk"], body, draw_token())
    path, key = f"/loans/{_newest(stage, 'loan')}/end", draw_token()
    end = {"state": "damaged", "charged": DEPOSIT // 2, "reason": "钻头断了"}
    return lambda: stage.send(path, stage.own["clerk"], end, key)


def _fill_purse(stage: "Stage") -> None:
    now = clock.now()
    with stage.app.app_context(), transaction() as session:
        session.execute(text("DELETE FROM spent_by_day"))
        expires_on = (now + timedelta(days=400)).date()
        with_points(session, stage.member["id"], PURSE, expires_on, now)


def _code(stage: "Stage") -> str:
    with stage.app.app_context(), transaction() as session:
        return redemption_code(session, stage.app, stage.member["id"], clock.now())


def _newest(stage: "Stage", table: str) -> int:
    with stage.app.app_context(), reading() as session:
        newest: int = session.execute(text(f"SELECT MAX(id) FROM {table}")).scalar_one()
    return newest


COUNTER_FLOWS = {
    flow.__name__: flow for flow in (order, hand_over, call_off, confirm, decline, settle_loan)
}
