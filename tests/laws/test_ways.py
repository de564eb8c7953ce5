"""Every page of the marketplace is three taps away at most, and leads back."""

import pytest

from tests.laws.authorization import ROWS
from tests.laws.marketplace import Step, a_marketplace, links_of, walk
from tests.laws.world import World

TAPS_MOST = 3
ROOMS = {
    "application_pages",
    "contract_pages",
    "desk_pages",
    "loan_pages",
    "offer_pages",
    "order_pages",
    "paper_pages",
    "report_pages",
    "reward_pages",
    "settlement_pages",
    "shop_pages",
    "shop_till_pages",
    "shortage_pages",
    "till_pages",
    "unusual_pages",
    "voucher_pages",
    "wish_pages",
}
# What hangs on a page as a file, one tap further.
FILES = {
    "application_pages.show_paper",
    "report_pages.points_file",
    "settlement_pages.month_file",
    "settlement_pages.statement_file",
    "shop_pages.download_poster",
}
# A code that is scanned leads there, and no link.
BY_CODE = {
    "shop_till_pages.show_shop",
    "shop_till_pages.show_word",
    "redemption_code_pages.show_scanned",
    "voucher_pages.show_scanned",
}
# Where the ways into the marketplace begin.
ON_THE_WAY = {
    "home",
    "member_pages.show_me",
    "organization_pages.list_merchants",
}
PERSONAS = ("volunteer", "clerk", "auditor", "administrator")


def expected(world: World, persona: str) -> set[str]:
    """Return the endpoints of the marketplace's pages that this person may open."""
    endpoints = {
        rule.rule: rule.endpoint
        for rule in world.app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
    }
    return {
        endpoints[row.rule]
        for row in ROWS
        if row.is_page and row.method == "GET" and row.admits(persona)
        if endpoints[row.rule].split(".")[0] in ROOMS
    } - BY_CODE


def leads_back(step: Step, nearer: dict[str, int]) -> bool:
    """Tell whether a page has a link to one that takes fewer taps."""
    return any(nearer.get(link, step.taps) < step.taps for link in links_of(step.answer))


def follows(endpoint: str, taps: int) -> bool:
    """Tell whether a link leads on in the marketplace; only files are looked for so far off."""
    if taps > TAPS_MOST:
        return endpoint in FILES
    return endpoint.split(".")[0] in ROOMS or endpoint in ON_THE_WAY


@pytest.mark.parametrize("persona", PERSONAS)
@pytest.mark.engine("sqlite")
def test_every_page_is_near_and_leads_back(persona: str, world: World) -> None:
    a_marketplace(world, persona)
    nearer: dict[str, int] = {}
    reached: set[str] = set()
    faults = []
    for step in walk(world, persona, TAPS_MOST + 1, follows):
        nearer.setdefault(step.path, step.taps)
        is_file = bool(step.endpoints & FILES)
        if not {endpoint.split(".")[0] for endpoint in step.endpoints} & ROOMS:
            continue
        if step.answer.status_code >= 400:
            faults.append(f"{step.path} answers {step.answer.status_code}")
        if step.taps <= TAPS_MOST + is_file:
            reached |= step.endpoints
        if step.answer.mimetype == "text/html" and not leads_back(step, nearer):
            faults.append(f"{step.path} does not lead back")
    assert faults == []
    assert sorted(expected(world, persona) - reached) == []
