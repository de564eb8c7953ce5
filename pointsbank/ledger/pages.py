"""The pages on which everyone sees the roots, and the files with which they check by them."""

import json
from collections.abc import Iterator
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    render_template,
    request,
    send_file,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue

from pointsbank.core.db import reading
from pointsbank.core.settings import ROOT
from pointsbank.ledger.publishing import (
    ROOTS_FORMAT,
    PublicBlock,
    newest_no,
    newest_published,
    published_after,
    published_block,
)
from pointsbank.web.access import anyone
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.formats import clock_time, full_day, root_groups
from pointsbank.web.headers import cacheable

pages = Blueprint("block_pages", __name__)

BLOCKS_A_PAGE = 50
# Each batch is a short read of its own, so that a slow reader holds no connection.
BATCH = 1000
ROOTS_CACHE_SECONDS = 60
CHECKER = ROOT / "tools" / "verify_statement.py"
CHECKER_CACHE_SECONDS = 3600


@pages.get("/ledger/blocks")
@anyone
def list_blocks() -> ResponseReturnValue:
    """Explain what a root is and list all, the newest first."""
    before_no = position_from(request.args.get("cursor"))
    with reading() as session:
        found = newest_published(session, before_no=before_no, limit=BLOCKS_A_PAGE + 1)
    shown = found[:BLOCKS_A_PAGE]
    has_more = len(found) > BLOCKS_A_PAGE
    return render_template(
        "ledger/blocks.html",
        blocks=[printed(block) for block in shown],
        is_first_page=before_no is None,
        links={
            "home": url_for("home"),
            "roots": url_for("block_pages.download_roots"),
            "checker": url_for("block_pages.download_checker"),
            "next": url_for("block_pages.list_blocks", cursor=cursor_from(shown[-1].head.no))
            if has_more
            else "",
            "first": url_for("block_pages.list_blocks") if before_no is not None else "",
        },
    )


@pages.get("/ledger/blocks/<id:no>")
@anyone
def show_block(no: int) -> ResponseReturnValue:
    """Show the root of one block: where the code of a printed statement leads."""
    with reading() as session:
        block = published_block(session, no)
        newest = newest_no(session)
    return render_template(
        "ledger/block.html",
        block=printed(block),
        previous=root_groups(block.head.previous_hash.hex()),
        links={
            "all": url_for("block_pages.list_blocks"),
            "roots": url_for("block_pages.download_roots"),
            "checker": url_for("block_pages.download_checker"),
            "before": url_for("block_pages.show_block", no=no - 1) if no > 1 else "",
            "after": url_for("block_pages.show_block", no=no + 1) if no < newest else "",
        },
    )


@pages.get("/ledger/roots.json")
@anyone
@cacheable(ROOTS_CACHE_SECONDS)
def download_roots() -> ResponseReturnValue:
    """Send all roots in one file, line by line, however many there are."""
    with reading() as session:
        up_to = newest_no(session)
    settings = current_app.extensions["settings"]
    response = make_response()
    # Blocks never change: their number names the whole file.
    response.set_etag(f"roots-{up_to}")
    response.make_conditional(request)
    if response.status_code == 200:
        response = Response(
            stream_with_context(lines_of_roots(settings.public_url, up_to)),
            mimetype="application/json",
        )
        response.set_etag(f"roots-{up_to}")
    response.headers.set("Content-Disposition", "attachment", filename="roots.json")
    return response


@pages.get("/ledger/verify_statement.py")
@anyone
@cacheable(CHECKER_CACHE_SECONDS)
def download_checker() -> ResponseReturnValue:
    """Send the tool that checks a statement without this service."""
    return send_file(
        CHECKER, mimetype="text/x-python", as_attachment=True, download_name=CHECKER.name
    )


def lines_of_roots(service: str, up_to: int) -> Iterator[str]:
    """Yield roots.json: a head, then one line for each block through up_to."""
    head = {"format": ROOTS_FORMAT, "service": service}
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "blocks": ['
    after_no = 0
    while after_no < up_to:
        with reading() as session:
            limit = min(BATCH, up_to - after_no)
            found = published_after(session, after_no=after_no, limit=limit)
        rows = (json.dumps(block.as_root()) for block in found)
        yield (",\n" if after_no else "\n") + ",\n".join(rows)
        after_no = found[-1].head.no
    yield "\n]}\n"


def printed(block: PublicBlock) -> dict[str, Any]:
    """Return a block as the pages print it."""
    head = block.head
    return {
        "no": head.no,
        "href": url_for("block_pages.show_block", no=head.no),
        "count": head.count,
        "total": head.total,
        "sealed": f"{full_day(head.sealed_at)} {clock_time(head.sealed_at)}",
        "root": root_groups(head.root.hex()),
        "root_start": root_groups(head.root.hex()[:16]),
    }
