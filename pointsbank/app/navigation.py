"""What every page may lead to, by the roles of the person who looks."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, request, url_for
from flask_babel import lazy_gettext
from flask_wtf.csrf import generate_csrf
from sqlalchemy.exc import SQLAlchemyError

from pointsbank.core.actor import Actor
from pointsbank.core.db import glance
from pointsbank.core.text import masked_name
from pointsbank.messages.queries import UNREAD_COUNTED_MAX, unread_count
from pointsbank.web.access import visiting_actor
from pointsbank.web.languages import locale_name

# "/" is everything and "/1/" the top of the tree.
TOP_SLASHES = 2


@dataclass(frozen=True)
class Way:
    """One entry of a bar: endpoint, word, icon, and the roles that see it (none: everyone).

    is_for_whole: seen only where such a role stands over everything, or on top of the tree.
    """

    endpoint: str
    label: Any
    icon: str
    roles: tuple[str, ...] = ()
    is_strong: bool = False
    is_for_whole: bool = False


# The entry that leads to the inbox, and shows how much of it is unread.
ME = "member_pages.show_me"
# The bottom bar on a phone; elder mode shows the last three, the code first (look.md, 12).
BAR: list[Way] = [
    Way("home", lazy_gettext("Home"), "home"),
    Way("finding_pages.list_tasks", lazy_gettext("Take part"), "task"),
    Way("own_code_pages.show_code", lazy_gettext("My code"), "qr", is_strong=True),
    Way("book_pages.book", lazy_gettext("Passbook"), "book"),
    Way(ME, lazy_gettext("Me"), "me"),
]
# The bar on top for people with work to do.
NAV: list[Way] = [
    Way(
        "ranking_pages.dashboard",
        lazy_gettext("Dashboard"),
        "chart",
        roles=("secretary", "administrator", "auditor"),
    ),
    Way(
        "ranking_pages.ranking",
        lazy_gettext("Ranking"),
        "chart",
        roles=("secretary", "administrator", "auditor", "committee"),
    ),
    Way(
        "secretary_report_pages.show_reports",
        lazy_gettext("Reports"),
        "print",
        roles=("secretary", "administrator", "auditor"),
    ),
    Way(
        "dual_pages.list_registrations",
        lazy_gettext("Registered at home"),
        "home",
        roles=("secretary", "administrator", "auditor"),
    ),
    Way(
        "organizing_pages.list_plans",
        lazy_gettext("Tasks I organize"),
        "task",
        roles=("organizer",),
    ),
    Way(
        "approving_pages.list_tasks",
        lazy_gettext("Tasks to approve"),
        "check",
        roles=("administrator", "secretary"),
    ),
    Way(
        "evaluation_paper_pages.show_all",
        lazy_gettext("Evaluation papers"),
        "book",
        roles=("administrator", "secretary", "committee", "auditor"),
    ),
    Way(
        "life_pages.show",
        lazy_gettext("Organization life"),
        "people",
        roles=("administrator", "secretary", "committee", "auditor"),
    ),
    Way(
        "adjustment_pages.list_adjustments",
        lazy_gettext("Manual adjustments"),
        "edit",
        roles=("administrator", "secretary", "organizer", "auditor"),
    ),
    Way("till_pages.choose_till", lazy_gettext("Take points"), "shop", roles=("clerk",)),
    Way("desk_pages.show_mine", lazy_gettext("Our shop"), "shop", roles=("clerk",)),
    Way("settlement_pages.list_mine", lazy_gettext("Our statements"), "book", roles=("clerk",)),
    Way(
        "budget_pages.list_budgets",
        lazy_gettext("Issue budgets"),
        "chart",
        roles=("administrator", "auditor"),
    ),
    Way(
        "people_pages.list_members",
        lazy_gettext("People"),
        "people",
        roles=("administrator", "secretary"),
    ),
    Way(
        "invitation_pages.list_invitations",
        lazy_gettext("Invitation codes"),
        "people",
        roles=("administrator", "secretary"),
    ),
    Way(
        "card_pages.ask_for_whom",
        lazy_gettext("Paper cards"),
        "card",
        roles=("administrator", "organizer"),
    ),
    Way(
        "ability_pages.show_abilities",
        lazy_gettext("Skills and trainings"),
        "edit",
        roles=("administrator", "secretary", "organizer"),
    ),
    Way(
        "hours_pages.list_hours",
        lazy_gettext("Hours to decide"),
        "clock",
        roles=("administrator", "secretary"),
    ),
    Way(
        "review_pages.list_reviews",
        lazy_gettext("Attendances to look at"),
        "shield",
        roles=("administrator", "secretary"),
    ),
    Way(
        "disputing_pages.list_disputes",
        lazy_gettext("Disputes"),
        "flag",
        roles=("administrator", "secretary"),
    ),
    Way(
        "period_pages.list_periods",
        lazy_gettext("Closed periods"),
        "chart",
        roles=("administrator", "secretary", "committee", "auditor"),
    ),
    Way(
        "notice_desk_pages.list_notices",
        lazy_gettext("Public notices"),
        "book",
        roles=("administrator", "secretary", "committee", "organizer", "auditor"),
    ),
    Way(
        "objection_pages.list_objections",
        lazy_gettext("Objections"),
        "flag",
        roles=("administrator", "secretary", "committee"),
    ),
    Way(
        "fund_pages.list_funds",
        lazy_gettext("Care funds"),
        "gift",
        roles=("administrator", "secretary", "auditor"),
    ),
    Way(
        "star_pages.list_applications",
        lazy_gettext("Stars of volunteers"),
        "check",
        roles=("administrator", "secretary", "auditor"),
    ),
    Way(
        "plan_pages.list_plans",
        lazy_gettext("Stars of organizations"),
        "home",
        roles=("administrator", "secretary", "auditor"),
    ),
    Way(
        "organization_pages.show_tree",
        lazy_gettext("Organizations"),
        "home",
        roles=("administrator", "secretary", "organizer", "auditor"),
    ),
    Way(
        "wish_pages.list_unanswered",
        lazy_gettext("Answer wishes"),
        "gift",
        roles=("administrator",),
    ),
    Way(
        "organization_pages.list_merchants",
        lazy_gettext("Merchants"),
        "shop",
        roles=("administrator", "auditor"),
    ),
    Way(
        "settlement_pages.list_month",
        lazy_gettext("Merchant statements"),
        "book",
        roles=("administrator", "auditor"),
    ),
    Way(
        "unusual_pages.show",
        lazy_gettext("Unusual redemptions"),
        "shield",
        roles=("auditor", "administrator"),
    ),
    Way(
        "report_pages.show_points",
        lazy_gettext("Points report"),
        "chart",
        roles=("administrator", "auditor"),
    ),
    Way(
        "standard_pages.list_standards",
        lazy_gettext("Scoring standards"),
        "edit",
        roles=("administrator",),
        is_for_whole=True,
    ),
    Way(
        "webhook_pages.list_webhooks",
        lazy_gettext("Webhooks"),
        "cloud",
        roles=("administrator",),
        is_for_whole=True,
    ),
    Way(
        "job_pages.list_jobs",
        lazy_gettext("Jobs"),
        "clock",
        roles=("administrator",),
        is_for_whole=True,
    ),
]


def is_seen_by(way: Way, actor: Actor) -> bool:
    """Tell whether a way is shown to a person; whether it opens is its own door's to judge."""
    if way.is_for_whole:
        return any(path.count("/") <= TOP_SLASHES for path in actor.paths(*way.roles))
    return not way.roles or actor.is_(*way.roles)


def entry(way: Way, unread: int = 0) -> dict[str, Any]:
    """Return one entry as the templates read it; unread is shown beside the way to oneself."""
    href = url_for(way.endpoint)
    return {
        "href": href,
        "label": str(way.label),
        "icon": way.icon,
        "current": request.path == href
        or request.path.startswith(f"{href.rstrip('/')}/")
        and href != "/",
        "strong": way.is_strong,
        "unread": unread if way.endpoint == ME else 0,
    }


def unread_of(member_id: int) -> int:
    """Return how many messages a member has not read; 0 while the database cannot say.

    Every page asks, the one that tells of a fault as well.
    """
    try:
        with glance() as connection:
            return unread_count(connection, member_id)
    except SQLAlchemyError:
        return 0


def badge(unread: int) -> str:
    """Write how many are unread: 3, or 99+."""
    return f"{UNREAD_COUNTED_MAX - 1}+" if unread >= UNREAD_COUNTED_MAX else str(unread)


def install(app: Flask) -> None:
    """Give every template the person, the language, the display and the ways."""
    app.jinja_env.filters["badge"] = badge

    @app.context_processor
    def surroundings() -> dict[str, Any]:
        actor = visiting_actor()
        mode = request.cookies.get("pointsbank_display") or (
            actor.display_mode if actor else ""
        )
        unread = unread_of(actor.member_id) if actor else 0
        ways = [way for way in NAV if actor and is_seen_by(way, actor)]
        return {
            "actor": actor,
            "actor_name": masked_name(actor.name) if actor else "",
            "locale": locale_name(),
            "display_mode": mode if mode in ("elder", "elder-xl") else "",
            "theme": "",
            "csrf_token": generate_csrf,
            "nav": [entry(way) for way in ways],
            "bar": [entry(way, unread) for way in BAR] if actor else [],
            "unread": unread,
        }
