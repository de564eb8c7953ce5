"""What is refused of orders, vouchers and tools on loan."""

from pointsbank.core.errors import Conflict, Invalid, NotFound


class OrderNotFound(NotFound):
    """No such order within what the person may see."""

    code = "order_not_found"
    message = "There is no such order."


class VoucherNotFound(NotFound):
    """No voucher of this merchant has this code; another merchant's is answered the same."""

    code = "voucher_not_found"
    message = "There is no such voucher at this shop. Please read the code once more."


class VoucherExpired(Conflict):
    """The time of a voucher, or of an order at a counter, is over."""

    code = "voucher_expired"
    message = "The time of this order is over. Its points are back with the member."


class AlreadyRedeemed(Conflict):
    """All that was ordered was handed over before."""

    code = "already_redeemed"
    message = "This was handed over already."


class OrderCancelled(Conflict):
    """The order was called off before."""

    code = "order_cancelled"
    message = "This order was cancelled. Its points are back with the member."


class FewerOrdered(Conflict):
    """Fewer pieces of an order are left than are to be handed over."""

    code = "fewer_ordered"
    message = "Only %(left)s of this order are left to hand over."


class VoucherNeeded(Invalid):
    """What was ordered with a voucher is handed over against its code."""

    code = "voucher_needed"
    message = "This order has a voucher. Please ask the member for its code."


class ShopElsewhere(NotFound):
    """An order at a counter is made at an open shop of the reward's own merchant."""

    code = "shop_elsewhere"
    message = "This reward is not to be had at this shop."
