"""What the rankings room refuses."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class RankingNotShown(NotAllowed):
    """Where the setting is off, nobody but those who answer for a branch sees a ranking."""

    code = "ranking_not_shown"
    message = "Rankings are not shown to members here."


class StandingNotFound(NotFound):
    """No such standing within what the person may see."""

    code = "standing_not_found"
    message = "Nothing has been counted for this person in this period."


class PeriodNotOver(Invalid):
    """A period is closed some nights after its end."""

    code = "period_not_over"
    message = "%(period)s is closed only some nights after its end."


class SnapshotNotFound(NotFound):
    """No such closed period within what the person may see."""

    code = "snapshot_not_found"
    message = "This period is not closed, or there is no such version of it."


class CorrectionNotFound(NotFound):
    """No such correction within what the person may see."""

    code = "correction_not_found"
    message = "There is no such correction."


class NothingToCorrect(Conflict):
    """Counting a period anew gives the lines that stand."""

    code = "nothing_to_correct"
    message = (
        "Counted anew, every line stays as it is. Enter what is wrong first, such as a"
        " late entry, then correct."
    )


class CorrectionWaits(Conflict):
    """One correction of a period waits at a time."""

    code = "correction_waits"
    message = "A correction of this period waits for a second person already."


class CorrectionDecided(Conflict):
    """A correction is decided once."""

    code = "correction_decided"
    message = "This correction was decided already."


class OwnCorrection(NotAllowed):
    """Nobody confirms a correction that they asked for."""

    code = "own_correction"
    message = "Somebody else must decide on a correction that you asked for."


class SnapshotChanged(Conflict):
    """A correction was asked for on another version than the one that stands."""

    code = "snapshot_changed"
    message = "This period has a newer version by now. Look at it, and ask again."


class EntriesBusy(Conflict):
    """Entries were being written, and it could not be told which are in."""

    code = "entries_busy"
    message = "Entries are being written at this moment. Please try again."


class ObjectionNotUpheld(Conflict):
    """A correction names only an objection that was upheld, against this period's notice."""

    code = "objection_not_upheld"
    message = "There is no such objection that was upheld against this period's notice."


class RankingNotPublished(Conflict):
    """Where the setting does not say published_notice, no ranking is shown in public."""

    code = "ranking_not_published"
    message = "Here no ranking is shown in public. The period can be archived without a notice."


class PeriodArchived(Conflict):
    """An archived period is done."""

    code = "period_archived"
    message = "This period is archived."


class NoticeStands(Conflict):
    """The notice of a period shows the newest version, or is still before the public."""

    code = "notice_stands"
    message = "The notice of this period shows what stands, or is not decided yet."


class NobodyToShow(Conflict):
    """A notice names nobody who is below the lowest band."""

    code = "nobody_to_show"
    message = "Nobody reached the lowest band, so there is nobody to show by name."


class NoticeToCome(Conflict):
    """Where rankings are shown in public, a period is archived when its notice is locked."""

    code = "notice_to_come"
    message = "This period has people to show: draft its notice. It is archived afterwards."


class CorrectionFirst(Conflict):
    """A period is not shown or archived while a correction of it waits."""

    code = "correction_first"
    message = "A correction of this period waits: decide on it first."


class BadPeriodSpan(Invalid):
    """A span of one's own has two days at least, a year at most, and a title."""

    code = "bad_period_span"
    message = (
        "Give it a title, a first day, and a last day after it, %(days)s days in all at most."
    )


class TooManyPeriods(Conflict):
    """Each running span is counted over and over, so there are only so many."""

    code = "too_many_periods"
    message = "There are %(most)s periods with days of their own already. Wait until one ends."


class TrialInFuture(Invalid):
    """A draft is tried over what was, not over what will be."""

    code = "trial_in_future"
    message = "This period has not begun. Choose one that has."


class TrialTooLarge(Invalid):
    """A trial answers at once, so it takes no more people than that allows."""

    code = "trial_too_large"
    message = "A trial takes at most %(most)s members. Choose a smaller organization."


class TrialNotFound(NotFound):
    """No such trial."""

    code = "trial_not_found"
    message = "There is no such trial."
