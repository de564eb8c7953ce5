"""The HTML door of webhooks: the list, one of them, its secret this once."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.db import reading, transaction
from pointsbank.core.errors import Conflict, Invalid
from pointsbank.core.keys import draw_bytes
from pointsbank.core.text import halfwidth
from pointsbank.outbox import service
from pointsbank.outbox.addresses import reach_of
from pointsbank.outbox.models import NAME_LENGTH_MAX, SALT_BYTES, URL_LENGTH_MAX
from pointsbank.outbox.queries import (
    check_whole,
    newest_position,
    tries_of,
    webhook_line,
    webhooks_after,
)
from pointsbank.outbox.schemas import POSITION_MAX, STATE_WORDS, try_words
from pointsbank.outbox.signing import secret_of, shown
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import attempt, settings, typed

pages = Blueprint("webhook_pages", __name__)

PAGE_LINES = 50
TRIES_SHOWN = 20
POSITION_TYPED_MAX = 16


@pages.get("/webhooks")
@roles_only("administrator")
def list_webhooks() -> ResponseReturnValue:
    """List the webhooks."""
    after_id = position_from(request.args.get("cursor")) or 0
    here = url_for("webhook_pages.list_webhooks")
    with reading() as session:
        check_whole(session, current_actor(), service.ADMINISTRATOR)
        found = webhooks_after(session, after_id, limit=PAGE_LINES + 1)
    more = len(found) > PAGE_LINES
    return render_template(
        "outbox/list.html",
        webhooks=found[:PAGE_LINES],
        states=STATE_WORDS,
        links={
            "new": url_for("webhook_pages.ask_for_webhook"),
            "next": f"{here}?cursor={cursor_from(found[PAGE_LINES - 1].id)}" if more else "",
            "first": here if after_id else "",
        },
    )


@pages.get("/webhooks/new")
@roles_only("administrator")
def ask_for_webhook() -> ResponseReturnValue:
    """Ask which system is to be told."""
    with reading() as session:
        check_whole(session, current_actor(), service.ADMINISTRATOR)
    return webhook_form({}, {})


def webhook_form(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    """Render the form of a new webhook, with what was wrong with it."""
    page = render_template(
        "outbox/new.html",
        form=form,
        errors=errors,
        limits={"name": NAME_LENGTH_MAX, "url": URL_LENGTH_MAX},
        links={
            "back": url_for("webhook_pages.list_webhooks"),
            "save": url_for("webhook_pages.new_webhook"),
        },
    )
    return page, 422 if errors else 200


@pages.post("/webhooks/new")
@roles_only("administrator")
def new_webhook() -> ResponseReturnValue:
    """Add a webhook and show its secret, this once."""
    actor, salt = current_actor(), draw_bytes(SALT_BYTES)
    with reading() as session:
        check_whole(session, actor, service.ADMINISTRATOR)
    form = {
        "name": typed("name", NAME_LENGTH_MAX),
        "url": request.form.get("url", "").strip()[: URL_LENGTH_MAX + 1],
        "start": "now" if request.form.get("start") == "now" else "beginning",
    }
    if not form["name"]:
        return webhook_form(form, {"name": gettext("Please name the system.")})
    try:
        service.check_address(form["url"], reach_of(is_production=settings().is_production))
        with transaction() as session:
            after = newest_position(session) if form["start"] == "now" else 0
            webhook_id = service.add_webhook(
                session,
                actor=actor,
                name=form["name"],
                url=form["url"],
                after=after,
                salt=salt,
                now=clock.now(),
            )
    except (Invalid, Conflict) as refusal:
        return webhook_form(form, {"url": sentence_of(refusal)})
    return secret_page(webhook_id, salt)


def secret_page(webhook_id: int, salt: bytes) -> ResponseReturnValue:
    """Show a secret, this once."""
    with reading() as session:
        webhook = webhook_line(session, webhook_id)
    return render_template(
        "outbox/secret.html",
        webhook=webhook,
        secret=shown(secret_of(settings().secret_key, salt)),
        until=webhook.previous_until,
        links={
            "list": url_for("webhook_pages.list_webhooks"),
            "webhook": url_for("webhook_pages.show_webhook", webhook_id=webhook_id),
        },
    )


@pages.get("/webhooks/<id:webhook_id>")
@roles_only("administrator")
def show_webhook(webhook_id: int) -> ResponseReturnValue:
    """Show a webhook with its recent tries."""
    return webhook_page(webhook_id, {}, {})


def webhook_page(
    webhook_id: int, form: dict[str, str], errors: dict[str, str]
) -> ResponseReturnValue:
    """Render one webhook, with what was wrong with its form."""
    before = position_from(request.args.get("cursor"))
    with reading() as session:
        check_whole(session, current_actor(), service.ADMINISTRATOR)
        webhook = webhook_line(session, webhook_id)
        tries = tries_of(session, webhook_id, before_id=before, limit=TRIES_SHOWN + 1)
    page = render_template(
        "outbox/webhook.html",
        webhook=webhook,
        states=STATE_WORDS,
        tries=[try_words(each) for each in tries[:TRIES_SHOWN]],
        form=form,
        errors=errors,
        links=links_of(
            webhook_id,
            older_than=tries[TRIES_SHOWN - 1].id if len(tries) > TRIES_SHOWN else None,
            is_older=before is not None,
        ),
    )
    return page, 422 if errors else 200


def links_of(webhook_id: int, *, older_than: int | None, is_older: bool) -> dict[str, Any]:
    """Return where a webhook's page leads."""
    here = url_for("webhook_pages.show_webhook", webhook_id=webhook_id)
    return {
        "list": url_for("webhook_pages.list_webhooks"),
        "state": url_for("webhook_pages.change_state", webhook_id=webhook_id),
        "secret": url_for("webhook_pages.new_secret", webhook_id=webhook_id),
        "resending": url_for("webhook_pages.resend", webhook_id=webhook_id),
        "removal": url_for("webhook_pages.remove", webhook_id=webhook_id),
        "next": f"{here}?cursor={cursor_from(older_than)}" if older_than else "",
        "first": here if is_older else "",
    }


@pages.post("/webhooks/<id:webhook_id>/state")
@roles_only("administrator")
def change_state(webhook_id: int) -> ResponseReturnValue:
    """Pause a webhook, or let it go on."""
    state = "active" if request.form.get("state") == "active" else "paused"
    _do(
        lambda session: service.change_state(
            session,
            actor=current_actor(),
            webhook_id=webhook_id,
            state=state,
            now=clock.now(),
        ),
        gettext("It goes on.") if state == "active" else gettext("It is paused."),
    )
    return redirect(url_for("webhook_pages.show_webhook", webhook_id=webhook_id), 303)


@pages.post("/webhooks/<id:webhook_id>/secret")
@roles_only("administrator")
def new_secret(webhook_id: int) -> ResponseReturnValue:
    """Give a webhook a new secret and show it, this once."""
    salt = draw_bytes(SALT_BYTES)
    with transaction() as session:
        service.change_secret(
            session, actor=current_actor(), webhook_id=webhook_id, salt=salt, now=clock.now()
        )
    return secret_page(webhook_id, salt)


@pages.post("/webhooks/<id:webhook_id>/resending")
@roles_only("administrator")
def resend(webhook_id: int) -> ResponseReturnValue:
    """Send everything behind a position once more."""
    text = halfwidth(typed("after", POSITION_TYPED_MAX))
    is_number = text.isascii() and text.isdigit() and int(text) <= POSITION_MAX
    if not is_number:
        return webhook_page(
            webhook_id, {"after": text}, {"after": gettext("A whole number from 0.")}
        )
    _do(
        lambda session: service.send_again(
            session,
            actor=current_actor(),
            webhook_id=webhook_id,
            after=int(text),
            now=clock.now(),
        ),
        gettext("It is sent again within two minutes."),
    )
    return redirect(url_for("webhook_pages.show_webhook", webhook_id=webhook_id), 303)


@pages.post("/webhooks/<id:webhook_id>/removal")
@roles_only("administrator")
def remove(webhook_id: int) -> ResponseReturnValue:
    """Remove a webhook with its tries."""
    _do(
        lambda session: service.remove_webhook(
            session, actor=current_actor(), webhook_id=webhook_id, now=clock.now()
        ),
        gettext("The webhook was removed."),
    )
    return redirect(url_for("webhook_pages.list_webhooks"), 303)


def _do(act: Callable[[Session], object], done: str) -> None:
    """Carry an act out in a transaction; who may not is turned away as at every door."""
    with reading() as session:
        check_whole(session, current_actor(), service.ADMINISTRATOR)

    def once() -> None:
        with transaction() as session:
            act(session)

    attempt(once, done)
