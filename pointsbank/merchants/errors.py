"""What the merchants room refuses."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class ShopNotFound(NotFound):
    """No such shop within what the person may see."""

    code = "shop_not_found"
    message = "There is no such shop."


class ShopNameTaken(Conflict):
    """Two shops of a merchant are told apart by their names."""

    code = "shop_name_taken"
    message = "This merchant already has a shop of this name."


class ShopClosed(Conflict):
    """A shop that was closed has no till."""

    code = "shop_closed"
    message = "This shop is closed. Please ask at another shop of this merchant."


class TooManyShops(Conflict):
    """A merchant has so many shops at most."""

    code = "too_many_shops"
    message = "A merchant can have at most %(most)s shops."


class PositionIncomplete(Invalid):
    """A place on the map is two numbers."""

    code = "position_incomplete"
    message = "A position needs both latitude and longitude."


class BadHours(Invalid):
    """Opening hours are spans of a day that do not touch."""

    code = "bad_hours"
    message = (
        "Opening hours are written 08:00-12:00, 14:00-18:00; spans of one day may not overlap."
    )


class NotATill(Invalid):
    """A code of ours that does not stand at a till."""

    code = "not_a_till"
    message = "This is not the code of a shop's till."


class TillCodeReplaced(NotFound):
    """The shop has a newer code, or is no more."""

    code = "till_code_replaced"
    message = "This code is not good any more. Please ask the shop for its new one."


class BadLicense(Invalid):
    """The number of a business license carries a check character (GB 32100)."""

    code = "bad_license"
    message = (
        "The number on the license has 18 characters, or 15 digits on an old one."
        " Please compare it once more."
    )


class LicenseMissing(Invalid):
    """Every merchant but a community store has a license."""

    code = "license_missing"
    message = "Please attach a photo of the business license."


class BadPaper(Invalid):
    """A paper is a picture or a PDF that can be opened."""

    code = "bad_paper"
    message = "Please choose a photo (JPEG, PNG or WebP) or a PDF that can be opened."


class PaperTooLarge(Invalid):
    """A paper has a largest size."""

    code = "paper_too_large"
    message = (
        "This file is too large: a PDF may have %(megabytes)s MB. A photo from a telephone is"
        " made smaller by itself."
    )


class TooManyPapers(Conflict):
    """An application and a merchant have so many papers."""

    code = "too_many_papers"
    message = "There are %(most)s papers already. Nothing more can be attached."


class PaperNotFound(NotFound):
    """No such paper within what the person may see."""

    code = "paper_not_found"
    message = "There is no such paper."


class ApplicationNotFound(NotFound):
    """No such application within what the person may see."""

    code = "merchant_application_not_found"
    message = "There is no such application."


class AlreadyApplied(Conflict):
    """One application of a person for a shop waits at a time."""

    code = "already_applied"
    message = "You already have an application for this shop; it is being looked at."


class ApplicationDecided(Conflict):
    """An application is decided once."""

    code = "merchant_application_decided"
    message = "This application was decided already."


class OwnApplication(NotAllowed):
    """Whoever applies does not decide."""

    code = "own_merchant_application"
    message = "This is your own application: another administrator has to decide it."


class OwnMerchant(NotAllowed):
    """A clerk of a merchant decides nothing about its terms."""

    code = "own_merchant"
    message = "You work at this merchant: another administrator has to do this."


class ContractNotFound(NotFound):
    """No such contract within what the person may see."""

    code = "contract_not_found"
    message = "There is no such contract."


class SecondPersonNeeded(NotAllowed):
    """Whoever proposed a contract does not sign for it."""

    code = "contract_second_person"
    message = "You proposed this contract: a second administrator has to sign it."


class ContractDecided(Conflict):
    """A contract is signed or refused once."""

    code = "contract_decided"
    message = "This contract was decided already."


class ContractOverlaps(Conflict):
    """On each day one contract holds at most."""

    code = "contract_overlaps"
    message = (
        "From %(valid_from)s to %(valid_until)s another contract holds. Please begin after it,"
        " or end it first."
    )


class BadTerm(Invalid):
    """A contract holds from a day of this month or later, for ten years at most."""

    code = "bad_term"
    message = (
        "A contract begins on %(earliest)s at the earliest, because months before are settled,"
        " ends today or later, and holds for ten years at most."
    )


class ContractNotInForce(Conflict):
    """Only a contract that was signed and is not over can be ended."""

    code = "contract_not_in_force"
    message = "This contract does not hold, so it cannot be ended."


class BadLastDay(Invalid):
    """A contract ends today at the earliest, and before the day that it says."""

    code = "bad_last_day"
    message = "The last day lies between today and %(before)s."


class DayMissing(Invalid):
    """A form names the day on which something ends."""

    code = "day_missing"
    message = "Please choose a day."


class DecisionMissing(Invalid):
    """A form says whether it is a yes or a no: nothing is decided by leaving it out."""

    code = "decision_missing"
    message = "Please choose again."


class ReasonMissing(Invalid):
    """Whoever is refused or stopped reads why."""

    code = "reason_missing"
    message = "Please say why; the shop reads it."
