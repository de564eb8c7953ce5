"""What can be refused where one branch proposes a move and the other decides."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class MoveProposalNotFound(NotFound):
    """There is no such proposal between branches that this person looks after."""

    code = "move_proposal_not_found"
    message = "There is no such proposal for a move here."


class BelongsThere(Conflict):
    """The member belongs to that branch already."""

    code = "belongs_there"
    message = "This member belongs to that branch already."


class MoveProposed(Conflict):
    """One proposal about a member waits at a time."""

    code = "move_proposed"
    message = "A move of this member is proposed already and waits for the other branch."


class OtherEndConfirms(NotAllowed):
    """A proposal is confirmed by the other end, never by whoever made it."""

    code = "other_end_confirms"
    message = "The other branch confirms this move, and never the person who proposed it."


class MoveDecided(Conflict):
    """Somebody has decided on the proposal already."""

    code = "move_decided"
    message = "This proposal is decided already."


class MoveOvertaken(Conflict):
    """The member no longer belongs where the proposal says."""

    code = "move_overtaken"
    message = (
        "This member belongs to another branch since the move was proposed. Please refuse it;"
        " it can be proposed anew."
    )


class MoveReasonMissing(Invalid):
    """Who proposes a move or refuses one says why."""

    code = "move_reason_missing"
    message = "Please say why: the other branch reads it."
