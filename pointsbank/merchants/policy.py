"""Who may do what about a merchant: pure judgements over an actor and a path."""

from pointsbank.core.actor import Actor


def may_keep(actor: Actor, merchant_id: int, path: str) -> bool:
    """Tell whether this person keeps a merchant's shops: its clerk, or an administrator."""
    return works_at(actor, merchant_id) or may_rule(actor, path)


def may_see(actor: Actor, merchant_id: int, path: str) -> bool:
    """Tell whether this person may look at a merchant's terms and shops."""
    return may_keep(actor, merchant_id, path) or actor.oversees(path, "auditor")


def works_at(actor: Actor, merchant_id: int) -> bool:
    """Tell whether this person is a clerk of a merchant, and so decides nothing about it."""
    return merchant_id in actor.merchant_ids()


def may_rule(actor: Actor, path: str) -> bool:
    """Tell whether this person decides on a merchant's terms, and whether it takes points."""
    return actor.oversees(path, "administrator")
