"""Papers as requests bring them and answers send them."""

from flask import Response, request

from pointsbank.core.text import cleaned
from pointsbank.merchants.models import MerchantPaper
from pointsbank.merchants.papers import UPLOAD_BYTES_MAX, Paper, judged_paper
from pointsbank.web.uploads import FileMissing

# The form around a file takes a little.
BODY_BYTES_MAX = UPLOAD_BYTES_MAX + 100_000


def uploaded(kind: str) -> Paper:
    """Return the paper that this request brings.

    Raises FileMissing, BadPaper, PaperTooLarge.
    """
    paper = sent_as("file", kind)
    if paper is None:
        raise FileMissing
    return paper


def sent_as(field: str, kind: str) -> Paper | None:
    """Return the paper in one field of a form, None where it was left empty.

    Raises BadPaper, PaperTooLarge.
    """
    file = request.files.get(field)
    if file is None or not file.filename:
        return None
    # A large file lies on the disk until it is closed.
    with file.stream:
        return judged_paper(kind, cleaned(file.filename), file.read())


def paper_answer(paper: MerchantPaper) -> Response:
    """Answer a paper's contents: pictures are shown, a PDF is saved, so none of it runs here.

    The name that it came with is not sent back: it may hold a person's.
    """
    response = Response(paper.content, mimetype=paper.media_type)
    is_picture = paper.media_type.startswith("image/")
    response.headers.set(
        "Content-Disposition",
        "inline" if is_picture else "attachment",
        filename=f"paper-{paper.id}.{'jpg' if is_picture else 'pdf'}",
    )
    return response
