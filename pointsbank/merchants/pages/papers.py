"""The HTML door of a merchant's own papers: those it came with, and those added later."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.merchants.applications import papers_of_merchant
from pointsbank.merchants.models import PAPER_KINDS
from pointsbank.merchants.paper_schemas import BODY_BYTES_MAX, uploaded
from pointsbank.merchants.papers import add_merchant_paper
from pointsbank.merchants.policy import may_keep
from pointsbank.merchants.schemas import PAPER_WORDS
from pointsbank.merchants.scope import merchant_to_keep, merchant_to_see
from pointsbank.web.access import current_actor, roles_only, takes_files
from pointsbank.web.forms import attempt

pages = Blueprint("paper_pages", __name__)

KEEPERS = ("administrator", "clerk")
VIEWERS = ("administrator", "clerk", "auditor")


@pages.get("/merchants/<id:merchant_id>/papers")
@roles_only(*VIEWERS)
def list_papers(merchant_id: int) -> ResponseReturnValue:
    """Show every paper that a merchant ever had, with its day, and the form of a new one."""
    actor = current_actor()
    with reading() as session:
        merchant = merchant_to_see(session, actor, merchant_id)
        papers = papers_of_merchant(session, merchant_id)
    # The first of its kind from the top is the latest.
    latest = {paper.kind: paper.id for paper in reversed(papers)}
    return render_template(
        "merchants/papers.html",
        merchant=merchant,
        papers=papers,
        latest=set(latest.values()),
        words=PAPER_WORDS,
        may_add=may_keep(actor, merchant_id, merchant.path),
        links={"back": url_for("desk_pages.show_desk", merchant_id=merchant_id)},
    )


@pages.post("/merchants/<id:merchant_id>/papers")
@takes_files(BODY_BYTES_MAX)
@roles_only(*KEEPERS)
def new_paper(merchant_id: int) -> ResponseReturnValue:
    """Add a paper to a merchant's own."""
    actor, now = current_actor(), clock.now()
    kind = request.form.get("kind", "")
    with reading() as session:
        merchant_to_keep(session, actor, merchant_id)

    def act() -> None:
        paper = uploaded(kind if kind in PAPER_KINDS else "other")
        run(
            lambda session: add_merchant_paper(
                session, actor=actor, merchant_id=merchant_id, paper=paper, now=now
            )
        )

    attempt(act, gettext("The paper was attached."))
    return redirect(url_for("paper_pages.list_papers", merchant_id=merchant_id), 303)
