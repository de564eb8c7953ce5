"""The five kinds of refusal; every room subclasses one and names the leaf as a plain fact."""

from typing import Any, ClassVar


class Refusal(Exception):
    """A request that is understood and not carried out; nothing of it is kept.

    message: an English sentence for a person, with %(name)s places filled from the facts;
    it is also the key under which the doors look up its translation.
    facts: plain JSON values that a program may read. They never hold a phone or a secret.
    """

    code: ClassVar[str] = "refused"
    message: ClassVar[str] = "This cannot be done."

    def __init__(self, message: str | None = None, **facts: Any) -> None:
        """Take the class's own sentence when no other is given."""
        self.sentence = message or self.message
        self.facts = facts
        super().__init__(self.sentence % facts if facts else self.sentence)


class Invalid(Refusal):
    """What was sent cannot be understood or breaks a rule of form: 400."""

    code = "invalid"


class NotAllowed(Refusal):
    """The person may not do this, whatever the object: 403."""

    code = "not_allowed"
    message = "You are not allowed to do this."


class NotFound(Refusal):
    """No such thing, or not within what the person may see: 404."""

    code = "not_found"
    message = "There is nothing here."


class Conflict(Refusal):
    """The thing is not in a state that allows this: 409."""

    code = "conflict"


class TooMany(Refusal):
    """Too many tries; facts hold retry_after_seconds: 429."""

    code = "too_many"
    message = "Too many tries. Please wait and try again."


class KeyReused(Conflict):
    """A key names one request for ever; another body came with it."""

    code = "key_reused"
    message = "This key was already used for another request."
