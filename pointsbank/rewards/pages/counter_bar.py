"""The bar at the bottom of a counter's pages: what a clerk needs under the thumb."""

from typing import Any

from flask import request, url_for
from flask_babel import gettext

from pointsbank.core.actor import Actor
from pointsbank.rewards.policy import may_take_points


def counter_bar(merchant_id: int) -> list[dict[str, Any]]:
    """Return the entries as components/navigation.html takes them, scanning the strong one."""
    till = url_for("till_pages.show_till", merchant_id=merchant_id)
    scan = url_for("till_pages.show_till", merchant_id=merchant_id, way="code", _anchor="deal")
    day = url_for("offer_pages.show_day", merchant_id=merchant_id)
    statements = url_for("settlement_pages.list_statements", merchant_id=merchant_id)
    is_scanning = request.path == till and request.args.get("way") == "code"

    def entry(href: str, label: str, icon: str, *, is_current: bool) -> dict[str, Any]:
        return {
            "href": href,
            "label": label,
            "icon": icon,
            "current": is_current,
            "strong": icon == "scan",
        }

    return [
        entry(
            till,
            gettext("Take points"),
            "shop",
            is_current=request.path == till and not is_scanning,
        ),
        entry(scan, gettext("Scan"), "scan", is_current=is_scanning),
        entry(day, gettext("Today"), "task", is_current=request.path == day),
        entry(
            statements, gettext("Settlement"), "chart", is_current=request.path == statements
        ),
    ]


def counter_bar_of(actor: Actor, merchant_id: int) -> dict[str, Any]:
    """Return the bar for whoever takes points here; others keep their own."""
    return {"bar": counter_bar(merchant_id)} if may_take_points(actor, merchant_id) else {}
