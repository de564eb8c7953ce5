"""What the settlements room refuses."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class StatementNotFound(NotFound):
    """The merchant has no statement of this month within what the person may see."""

    code = "statement_not_found"
    message = "There is no statement of this month."


class StatementLineNotFound(NotFound):
    """The statement has no line with this number."""

    code = "statement_line_not_found"
    message = "The statement has no such line."


class MonthNotOver(Conflict):
    """A month is cut off after its last day."""

    code = "month_not_over"
    message = "The month is not over yet."


class StatementSigned(Conflict):
    """A line is disputed before the statement is confirmed."""

    code = "statement_signed"
    message = "The statement is confirmed already; its lines can no longer be disputed."


class LineDisputed(Conflict):
    """A line is disputed once."""

    code = "statement_line_disputed"
    message = "This line was disputed already."


class LineNotDisputed(Conflict):
    """Only a dispute that waits can be answered."""

    code = "line_not_disputed"
    message = "This line has no dispute that waits for an answer."


class DisputesOpen(Conflict):
    """A statement is confirmed when all its disputes are answered."""

    code = "disputes_open"
    message = "Disputed lines still wait for an answer: %(count)s."


class NotConfirmedYet(Conflict):
    """The merchant has time to confirm; after that silence counts as a yes."""

    code = "not_confirmed_yet"
    message = "The merchant can still confirm or dispute until %(confirm_by)s."


class NotApprovedYet(Conflict):
    """Only an approved statement is paid."""

    code = "not_approved_yet"
    message = "The statement has to be approved first."


class StatementPaid(Conflict):
    """A statement is paid once, under one reference."""

    code = "statement_paid"
    message = "This statement was paid already, with another reference."


class StatementSecondPerson(NotAllowed):
    """Whoever acts for the merchant does not answer, approve or pay; approver and payer are
    two.
    """

    code = "statement_second_person"
    message = "A second person has to do this."


class CorrectionMissing(Invalid):
    """An accepted dispute says how much money it adds or takes."""

    code = "correction_missing"
    message = "An accepted dispute needs an amount of money other than zero."


class CorrectionTooLarge(Invalid):
    """A correction never exceeds what the line itself is worth twice over."""

    code = "correction_too_large"
    message = "This line can be corrected by at most %(most)s yuan either way."


class BadAmount(Invalid):
    """An amount of money is written in yuan with at most two places."""

    code = "bad_amount"
    message = "An amount of money is written 12.50, or -12.50."


class StatementWordsMissing(Invalid):
    """A dispute, its answer and a payment each take a few words."""

    code = "statement_words_missing"
    message = "Please fill this in with a few words."


class MonthAhead(Invalid):
    """A month that has not begun has nothing on it."""

    code = "month_ahead"
    message = "This month has not begun."
