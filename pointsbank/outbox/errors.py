"""What reading the outbox and adding a webhook refuse."""

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound


class BadAddress(Invalid):
    """An address is https, without a password in it, and its host's name is spelled plainly."""

    code = "bad_address"
    message = (
        "A webhook needs an address such as https://points.example.cn/webhooks: https, no user"
        " name, no unusual port."
    )


class AddressNotFound(Invalid):
    """The host's name leads nowhere now."""

    code = "address_not_found"
    message = "The host of this address was not found."


class AddressNotPublic(Invalid):
    """The host lies, by any of its addresses, in a network that is not the public internet."""

    code = "address_not_public"
    message = "This address leads into a private network; only public addresses are called."


class OutboxForWhole(NotAllowed):
    """The outbox tells of the whole installation, so a role over a part of it is too little."""

    code = "outbox_for_whole"
    message = "This is for those who look after the whole installation."


class WebhookNotFound(NotFound):
    """No webhook has this id."""

    code = "webhook_not_found"
    message = "There is no such webhook."


class PositionAhead(Invalid):
    """Nothing can be sent again that was never sealed."""

    code = "position_ahead"
    message = "The newest position is %(newest)s; nothing lies behind it yet."


class TooManyWebhooks(Conflict):
    """Each webhook costs the scheduler time, so their number is bounded."""

    code = "too_many_webhooks"
    message = "There are %(most)s webhooks already; remove one first."
