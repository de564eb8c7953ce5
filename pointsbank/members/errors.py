"""What the members room refuses."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal, TooMany


class BadCredentials(Refusal):
    """Phone and password do not belong together; which of the two is wrong is not said."""

    code = "bad_credentials"
    message = "The phone number or the password is not right."


class SignInLocked(TooMany):
    """Five wrong tries lock this phone for a quarter of an hour."""

    code = "sign_in_locked"
    message = (
        "Too many wrong tries. Please wait %(minutes)s minutes, or ask your community desk."
    )


class MemberNotFound(NotFound):
    """No such member within what the person may see."""

    code = "member_not_found"
    message = "There is no such member."


class MoveOneself(NotAllowed):
    """Nobody moves themself to another branch."""

    code = "move_oneself"
    message = "You cannot move yourself; another administrator or secretary does it."


class NotAHome(Invalid):
    """People belong to a branch, a community or a work unit, and live in a grid."""

    code = "not_a_home"
    message = "People belong to a branch or community; a grid is given beside it."


class NotAGrid(Invalid):
    """A grid is a grid, a micro grid or a building."""

    code = "not_a_grid"
    message = "This is not the code of a grid or building."


class BadMoveDay(Invalid):
    """A move lies in this year, and never in the future: closed years stay as they were."""

    code = "bad_move_day"
    message = "A move is dated between %(first_on)s and %(last_on)s."


class MoveTooEarly(Invalid):
    """Nobody belongs elsewhere before they belonged where they are."""

    code = "move_too_early"
    message = (
        "This member has belonged to their branch since %(began_on)s; a move cannot lie before"
        " that day."
    )


class MemberSuspended(Conflict):
    """The account was stopped; nothing can be done with it."""

    code = "member_suspended"
    message = "This account is stopped. Please ask your branch."


class PhoneTaken(Conflict):
    """A phone belongs to one person."""

    code = "phone_taken"
    message = "This phone number already belongs to a member."


class WeakPassword(Invalid):
    """A password has 8 to 72 characters and is not among the best-known ones."""

    code = "weak_password"
    message = "Please choose a password of at least 8 characters that is not easy to guess."


class WrongPassword(Invalid):
    """The old password does not fit the person who is signed in."""

    code = "wrong_password"
    message = "The old password is not right."


class RoleNotFound(NotFound):
    """No such role of this member."""

    code = "role_not_found"
    message = "There is no such role."


class BadRoleScope(Invalid):
    """A clerk belongs to a merchant, every other role to an organization."""

    code = "bad_role_scope"
    message = "A clerk needs merchant_id; every other role needs organization_code."


class RoleNotYoursToGive(NotAllowed):
    """A secretary appoints and dismisses the committee of their branch, and nobody else."""

    code = "role_not_yours_to_give"
    message = (
        "A secretary appoints members of the branch committee; an administrator gives roles."
    )


class CommitteeWithoutBranch(Invalid):
    """A committee is a branch's: nobody sits on the committee of a street or a grid."""

    code = "committee_without_branch"
    message = "A committee member belongs to a branch; please give the code of a party branch."


class VolunteerNoTaken(Conflict):
    """A volunteer number names one person."""

    code = "volunteer_no_taken"
    message = "This volunteer number already belongs to a member."


class NotOverThisPerson(NotAllowed):
    """An administrator is changed only by one who stands at least as high."""

    code = "not_over_this_person"
    message = "This person holds a role above yours. Please ask a higher administrator."


class NotOneself(NotAllowed):
    """Nobody stops their own account or takes their own last way in."""

    code = "not_oneself"
    message = "This cannot be done to your own account."


class NotOurCode(Invalid):
    """The text has not the form of one of our codes."""

    code = "bad_code"
    message = "This is not a code of ours."


class ForgedCode(Invalid):
    """A code of our form whose MAC does not fit, or whose number was never drawn."""

    code = "bad_signature"
    message = "This code is not genuine."


class WrongCodePurpose(Invalid):
    """A genuine form, shown at the wrong place; the sentence says which code it is."""

    code = "wrong_purpose"
    message = "This is a code for another purpose."


class CodeExpired(Conflict):
    """The code's time is over, or a newer one took its place."""

    code = "code_expired"
    message = "This code has expired. Please show a new one."


class CodeUsed(Conflict):
    """A code is good once."""

    code = "code_used"
    message = "This code has been used. Please make sure who stands in front of you."


class CardNotFound(NotFound):
    """No such card of this member, or it was revoked."""

    code = "card_not_found"
    message = "This card is not valid. It may have been replaced by a new one."


class BadCardPin(Invalid):
    """A card is protected by six plain digits."""

    code = "bad_card_pin"
    message = "Please choose six digits for the card."


class CardPinWrong(Invalid):
    """The six digits do not fit the card, or the card has none."""

    code = "card_pin_wrong"
    message = "The six digits of this card are not right."


class PinMissing(Invalid):
    """The six digits belong to a paper card, and this person has none with any."""

    code = "pin_missing"
    message = "This person has no card with six digits. Let them confirm on their own phone."


class CardLocked(TooMany):
    """Five wrong tries lock a card for a quarter of an hour."""

    code = "card_locked"
    message = "Too many wrong tries. Please wait %(minutes)s minutes."


class HouseholdNotFound(NotFound):
    """No such household within what the person may see."""

    code = "household_not_found"
    message = "There is no such household."


class HouseholdTooSmall(Invalid):
    """A household is registered of at least two different people."""

    code = "household_too_small"
    message = "A household needs at least two people."


class HouseholdFull(Conflict):
    """A household has a largest size."""

    code = "household_full"
    message = "A household can have at most %(limit)s people."


class AlreadyInHousehold(Conflict):
    """Nobody belongs to two households."""

    code = "already_in_household"
    message = "This person already belongs to a household."


class OwnHousehold(NotAllowed):
    """Who looks after households does not register or change their own."""

    code = "own_household"
    message = "Please ask a colleague to register or change your own household."


class TooManyCards(Invalid):
    """One PDF holds so many cards and no more."""

    code = "too_many_cards"
    message = "%(number)s cards are too many at once; at most %(most)s. Choose a smaller group."


class NobodyForCards(Invalid):
    """Cards are issued to somebody."""

    code = "nobody_for_cards"
    message = "There is nobody here to issue a card to."


class InvitationNotGood(Invalid):
    """No such invitation, or it is over, withdrawn or used up; which of these is not said."""

    code = "invitation_not_good"
    message = (
        "This invitation code is not good, or no longer. "
        "Please look at it again, or ask your branch for a new one."
    )


class RegistrationLocked(TooMany):
    """Too many wrong invitation codes came from one place, or began alike."""

    code = "registration_locked"
    message = (
        "Too many invitation codes that are not good. Please wait %(minutes)s minutes, "
        "or ask your branch."
    )


class NotAPhone(Invalid):
    """A member registers with a mainland mobile number."""

    code = "not_a_phone"
    message = "Please give a mobile number of eleven digits."


class NameMissing(Invalid):
    """Nobody is registered without a name."""

    code = "name_missing"
    message = "Please give the name."


class HasPassword(Conflict):
    """A first password is for who has none; whoever knows theirs changes it themselves."""

    code = "has_password"
    message = "This person has a password already."


class PhoneMissing(Conflict):
    """Signing in goes by the phone number."""

    code = "phone_missing"
    message = "This person has no phone number here, and signs in by it. Please enter it first."


class BadActivation(Invalid):
    """Phone and code do not belong together; which of the two is wrong is not said."""

    code = "bad_activation"
    message = "The phone number or the code is not right, or the code was used or ran out."


class InvitationNotFound(NotFound):
    """No such invitation within what the person may see."""

    code = "branch_invitation_not_found"
    message = "There is no such invitation of a branch."


class BadInvitation(Invalid):
    """An invitation is for some people and some time."""

    code = "bad_branch_invitation"
    message = (
        "An invitation is good for 1 to %(uses)s people, until a day within the next "
        "%(days)s days."
    )


class UnknownPurpose(Invalid):
    """Consent is asked for one purpose of a fixed list at a time."""

    code = "unknown_purpose"
    message = "This is not something that you can consent to here."


class OwnPaperConsent(NotAllowed):
    """A paper is recorded by somebody other than who signed it."""

    code = "own_paper_consent"
    message = "Please give your own consent on your own page; a paper is recorded by another."
