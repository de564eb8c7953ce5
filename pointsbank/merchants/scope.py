"""Which merchants and shops a person reaches: foreign ones look like none at all."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.merchants.errors import OwnMerchant, ShopNotFound
from pointsbank.merchants.policy import may_keep, may_rule, may_see, works_at
from pointsbank.merchants.queries import ShopLine, shop_of
from pointsbank.organizations.errors import MerchantNotFound
from pointsbank.organizations.models import Merchant
from pointsbank.organizations.queries import MerchantLine, merchant_of

Judge = Callable[[Actor, int, str], bool]


def merchant_to_see(session: Session, actor: Actor, merchant_id: int) -> MerchantLine:
    """Return a merchant whose terms and shops this person may look at.

    Raises MerchantNotFound.
    """
    return _merchant(session, actor, merchant_id, may_see)


def merchant_to_keep(session: Session, actor: Actor, merchant_id: int) -> MerchantLine:
    """Return a merchant whose shops this person keeps.

    Raises MerchantNotFound.
    """
    return _merchant(session, actor, merchant_id, may_keep)


def merchant_to_rule(session: Session, actor: Actor, merchant_id: int) -> MerchantLine:
    """Return a merchant on whose terms this administrator decides.

    Raises MerchantNotFound.
    """
    return _merchant(session, actor, merchant_id, lambda who, _, path: may_rule(who, path))


def lock_merchant(session: Session, merchant_id: int) -> None:
    """Let one at a time change what belongs to a merchant, until the transaction ends."""
    # Not FOR UPDATE: redemptions only refer to the merchant and need not wait.
    session.execute(
        select(Merchant.id).where(Merchant.id == merchant_id).with_for_update(key_share=True)
    )


def merchant_to_judge(session: Session, actor: Actor, merchant_id: int) -> MerchantLine:
    """Return a merchant that this administrator rules and does not work at.

    Raises MerchantNotFound, OwnMerchant.
    """
    merchant = merchant_to_rule(session, actor, merchant_id)
    if works_at(actor, merchant_id):
        raise OwnMerchant
    return merchant


def shop_to_see(session: Session, actor: Actor, shop_id: int) -> ShopLine:
    """Return a shop that this person may look at.

    Raises ShopNotFound.
    """
    return _shop(session, actor, shop_id, may_see)


def shop_to_keep(session: Session, actor: Actor, shop_id: int) -> ShopLine:
    """Return a shop that this person keeps.

    Raises ShopNotFound.
    """
    return _shop(session, actor, shop_id, may_keep)


def _merchant(session: Session, actor: Actor, merchant_id: int, may: Judge) -> MerchantLine:
    merchant = merchant_of(session, merchant_id)
    if not may(actor, merchant.id, merchant.path):
        raise MerchantNotFound
    return merchant


def _shop(session: Session, actor: Actor, shop_id: int, may: Judge) -> ShopLine:
    shop = shop_of(session, shop_id)
    if not may(actor, shop.merchant_id, shop.path):
        raise ShopNotFound
    return shop
