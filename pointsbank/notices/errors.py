"""What the room refuses."""

from pointsbank.core.errors import Conflict, Invalid, NotFound


class NoticeNotFound(NotFound):
    """No such notice within what the person may see; the public sees open ones only."""

    code = "notice_not_found"
    message = "There is no such public notice, or it is no longer shown."


class NoticeAlive(Conflict):
    """Of one subject one notice at a time is before the public or on its way there."""

    code = "notice_alive"
    message = "There is a public notice about this already. Correct it or withdraw it first."


class BadNotice(Invalid):
    """A notice holds what its template has places for and nothing else."""

    code = "bad_notice"
    message = "This does not fit the template of this kind of notice: %(what)s."


class PrivateNumber(Invalid):
    """Phones, identity numbers and bank cards stand in no notice and in no objection."""

    code = "private_number"
    message = (
        "This holds what looks like a phone, identity or bank card number. Please leave the"
        " number out: it does not belong here."
    )


class NoticeNotAlive(Conflict):
    """What is locked, replaced or withdrawn stays as it is."""

    code = "notice_not_alive"
    message = "This notice is locked, replaced or withdrawn, and stays as it is."


class ObjectionsUndecided(Conflict):
    """Each objection is answered to whoever raised it, before the notice changes."""

    code = "objections_undecided"
    message = "%(objections)s objections are not decided yet. Please decide them first."


class ReasonMissing(Invalid):
    """Whoever is answered reads why."""

    code = "notice_reason_missing"
    message = "Please say in a few words why."
