"""What is refused of tools on loan."""

from pointsbank.core.errors import Conflict, Invalid, NotFound


class LoanNotFound(NotFound):
    """No such loan within what the person may see."""

    code = "loan_not_found"
    message = "There is no such loan."


class LoanEnded(Conflict):
    """A loan ends once; what was charged is disputed or reversed."""

    code = "loan_ended"
    message = "This loan was ended otherwise before."


class ChargeUnfounded(Invalid):
    """Points of a deposit are taken for damage or loss, with a reason."""

    code = "charge_unfounded"
    message = "Points are kept only for damage or loss, and with a reason."


class ChargeTooHigh(Invalid):
    """No more is kept than the deposit."""

    code = "charge_too_high"
    message = "At most the deposit can be kept: %(deposit)s points."


class DepositReleased(Conflict):
    """A year after its day the deposit is the member's again."""

    code = "deposit_released"
    message = "The deposit has gone back to the member. End the loan without keeping points."
