"""What the scoring room refuses."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class NoStandard(NotFound):
    """No version of the scoring standard was in force on that day."""

    code = "no_standard"
    message = "No scoring standard is in force on this day."


class NoSuchTable(NotFound):
    """A standard must say how a year is evaluated."""

    code = "no_such_table"
    message = "This scoring standard has no table of evaluation."


class UnknownScoringItem(Invalid):
    """Work is scored only by an item of the standard in force."""

    code = "unknown_scoring_item"
    message = "The scoring standard in force has no such item."


class BadStandardFile(Invalid):
    """A file of a standard is plain YAML: bounded, without aliases, tags or doubled fields."""

    code = "bad_standard_file"
    message = "Line %(line)s is not YAML as it should be."
    alias = "Line %(line)s repeats something by an anchor. Write it out."
    deep = "Line %(line)s lies deeper than a standard goes."
    tag = "Line %(line)s has a value of a kind that no standard has."
    key = "Line %(line)s has a field whose name is no text."
    twice = "Line %(line)s names the field %(name)s a second time."
    big = "The file is larger than %(most)s kB."
    encoding = "The file is not UTF-8 text."


class NoSuchShippedStandard(NotFound):
    """Only some standards come with the service."""

    code = "no_such_shipped_standard"
    message = "No such standard comes with the service."


class BadStandard(Invalid):
    """A standard that breaks rules; facts name each field with a sentence."""

    code = "bad_standard"
    message = "The standard cannot be kept like this. Please look at the fields named below."


class StandardNotFound(NotFound):
    """No such version and no such draft."""

    code = "standard_not_found"
    message = "There is no such scoring standard."


class NotADraftStandard(Conflict):
    """What was published or discarded never changes."""

    code = "standard_not_draft"
    message = "This standard is no draft any more. Make a new draft to change something."


class DraftChanged(Conflict):
    """Somebody else changed a draft since it was read."""

    code = "standard_draft_changed"
    message = "Somebody changed this draft meanwhile. Look at it as it stands, then decide."


class PublishedMeanwhile(Conflict):
    """Of two who publish at once one does."""

    code = "standard_published_meanwhile"
    message = "Somebody published another version at this moment. Please look again."


class PublisherDrafted(NotAllowed):
    """A second person publishes; a CHECK of the table says so too."""

    code = "publisher_drafted"
    message = "A second person publishes: not the one who changed the draft last."


class BadValidFrom(Invalid):
    """A version begins today or later, after the version before it, by the end of next year.

    A mistyped year would hold for ever: no version could begin before it any more.
    """

    code = "bad_valid_from"
    message = "The first day must be from %(least)s through %(most)s."


class StandardsForWhole(NotAllowed):
    """One standard holds for all, so a role over a part is too little."""

    code = "standards_for_whole"
    message = "Standards are for administrators of the whole installation."


class TooManyDrafts(Conflict):
    """Drafts that nobody publishes are discarded before new ones are made."""

    code = "too_many_drafts"
    message = "There are %(most)s drafts already. Discard one first."


class CapTakenMeanwhile(Conflict):
    """Of two awards that want the room below one limit, the second asks again."""

    code = "cap_taken_meanwhile"
    message = "Somebody settled the same work at this moment. Please settle again."


class AdjustmentNotFound(NotFound):
    """No such adjustment, or of a member outside of the reader's scope."""

    code = "adjustment_not_found"
    message = "There is no such manual adjustment."


class AdjustmentForOneself(NotAllowed):
    """Whoever asks and whoever gains are two people; a CHECK of the table says so too."""

    code = "adjustment_for_oneself"
    message = "Nobody asks for a manual adjustment of their own points or time."


class SecondPersonNeeded(NotAllowed):
    """Whoever asked for an adjustment does not decide it, nor does whoever it is for."""

    code = "second_person_needed"
    message = "A second person decides: neither who asked for it nor who it is for."


class OneMeasureNeeded(Invalid):
    """An adjustment has points or minutes, never both: minutes by hand earn no points."""

    code = "one_measure_needed"
    message = "Give either points or service minutes, above or below 0."


class BadOccurredOn(Invalid):
    """What is entered by hand happened within the last days, not in the future."""

    code = "bad_occurred_on"
    message = "It must have happened within the last %(days)s days, and not in the future."


class AdjustmentMonthFull(Conflict):
    """So much by hand for one person in one month, and no more."""

    code = "adjustment_month_full"
    message = "By hand only %(left)s are left for this member this month."


class AdjustmentDecided(Conflict):
    """Somebody decided it before."""

    code = "adjustment_decided"
    message = "This manual adjustment was decided before."


class AdjustmentLapsed(Conflict):
    """Nobody decided it in time."""

    code = "adjustment_lapsed"
    message = "This manual adjustment was not decided in time and has lapsed."


class DayAlreadyFull(Conflict):
    """Entered by hand or not, no local day counts more than its limit."""

    code = "day_already_full"
    message = "That day counts %(counted)s minutes already, and no day more than %(most)s."


class NotEnoughMinutes(Conflict):
    """Service time cannot fall below nothing."""

    code = "not_enough_minutes"
    message = "The member has only %(minutes)s minutes of service time."
