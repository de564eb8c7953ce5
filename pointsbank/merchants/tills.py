"""The code that stands at a shop's till: its text, and the shop behind it."""

from sqlalchemy.orm import Session

from pointsbank.core.codes import NotACode, Purpose, read_code, seal
from pointsbank.core.keys import derive_key
from pointsbank.members.errors import ForgedCode, NotOurCode
from pointsbank.merchants.errors import NotATill, ShopClosed, TillCodeReplaced
from pointsbank.merchants.queries import ShopLine, shop_with_handle


def till_key(secret: str) -> bytes:
    """Return the key of all tills' codes."""
    return derive_key(secret, "till")


def till_text(secret: str, handle: bytes) -> str:
    """Return the text of the code at the till with this random handle of 8 bytes; it stays the
    same.
    """
    return seal(Purpose.TILL, handle, till_key(secret))


def shop_of_till(session: Session, text: str, secret: str) -> ShopLine:
    """Return the shop at whose till a code stands; text is bare or its URL, in either case.

    Whether the merchant takes points now is not judged here.
    Raises NotOurCode, NotATill, ForgedCode, TillCodeReplaced, ShopClosed.
    """
    try:
        code = read_code(text)
    except NotACode as error:
        raise NotOurCode from error
    if code.purpose is not Purpose.TILL:
        raise NotATill
    if not code.is_genuine(till_key(secret)):
        raise ForgedCode
    shop = shop_with_handle(session, code.body)
    if shop is None:
        raise TillCodeReplaced
    if shop.state != "open":
        raise ShopClosed
    return shop
