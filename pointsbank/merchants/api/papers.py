"""The JSON door of a merchant's own papers: those it came with, and those added later."""

from typing import Any

from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.merchants.applications import papers_of_merchant
from pointsbank.merchants.paper_schemas import BODY_BYTES_MAX, uploaded
from pointsbank.merchants.papers import add_merchant_paper
from pointsbank.merchants.schemas import PaperFile, PaperForm, PaperOut, PapersOut
from pointsbank.merchants.scope import merchant_to_see
from pointsbank.web.access import current_actor, roles_only, takes_files
from pointsbank.web.contract import Blueprint

api = Blueprint("merchant_papers_api", __name__, description="The papers of merchants.")

KEEPERS = ("administrator", "clerk")
VIEWERS = ("administrator", "clerk", "auditor")


@api.get("/merchants/<id:merchant_id>/papers")
@api.response(200, PapersOut)
@roles_only(*VIEWERS)
def list_papers(merchant_id: int) -> dict[str, Any]:
    """List every paper that a merchant ever had, the newest first."""
    with reading() as session:
        merchant_to_see(session, current_actor(), merchant_id)
        return {"items": papers_of_merchant(session, merchant_id)}


@api.post("/merchants/<id:merchant_id>/papers")
@api.arguments(PaperFile, location="files")
@api.arguments(PaperForm, location="form")
@api.response(201, PaperOut)
@takes_files(BODY_BYTES_MAX)
@roles_only(*KEEPERS)
def new_paper(_file: dict[str, Any], form: dict[str, Any], merchant_id: int) -> dict[str, Any]:
    """Add a picture or a PDF to a merchant's papers; the ones before stay."""
    actor, now = current_actor(), clock.now()
    paper = uploaded(form["kind"])
    paper_id = run(
        lambda session: add_merchant_paper(
            session, actor=actor, merchant_id=merchant_id, paper=paper, now=now
        )
    )
    with reading() as session:
        papers = papers_of_merchant(session, merchant_id)
    return vars(next(each for each in papers if each.id == paper_id))
