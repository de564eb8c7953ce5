"""What the members room refuses."""

from pointsbank.core.errors import Conflict, Invalid, NotFound, Refusal, TooMany


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


class RoleNotFound(NotFound):
    """No such role of this member."""

    code = "role_not_found"
    message = "There is no such role."


class BadRoleScope(Invalid):
    """A clerk belongs to a merchant, every other role to an organization."""

    code = "bad_role_scope"
    message = "A clerk needs merchant_id; every other role needs organization_code."
