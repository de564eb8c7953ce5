"""The HTML door of pictures: shown for good under their address, given, taken away."""

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.db import reading, transaction
from pointsbank.core.errors import NotFound
from pointsbank.rewards import service
from pointsbank.rewards.pictures import (
    UPLOAD_BYTES_MAX,
    encoded,
    keep_picture,
    picture_bytes,
    remove_picture,
)
from pointsbank.web.access import current_actor, members_only, roles_only, takes_files
from pointsbank.web.forms import attempt
from pointsbank.web.headers import cacheable
from pointsbank.web.uploads import FileMissing

pages = Blueprint("picture_pages", __name__)

YEAR_SECONDS = 365 * 24 * 3600
DIGEST_DIGITS = 64
SIZES = ("large", "small")
HEXADECIMAL = frozenset("0123456789abcdef")


@pages.get("/rewards/<id:reward_id>/pictures/<string:digest>/<string:size>")
@cacheable(YEAR_SECONDS, is_for_good=True)
@members_only
def show(reward_id: int, digest: str, size: str) -> ResponseReturnValue:
    """Answer a picture; another one will have another address."""
    if size not in SIZES or len(digest) != DIGEST_DIGITS or not HEXADECIMAL.issuperset(digest):
        raise NotFound
    with reading() as session:
        found = picture_bytes(
            session, reward_id, bytes.fromhex(digest), is_small=size == "small"
        )
    if found is None:
        raise NotFound
    return Response(found, mimetype="image/webp")


@pages.post("/rewards/<id:reward_id>/picture")
@takes_files(UPLOAD_BYTES_MAX)
@roles_only("administrator", "clerk")
def upload(reward_id: int) -> ResponseReturnValue:
    """Give a reward its picture."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        service.reward_to_change(session, actor, reward_id)

    def give() -> None:
        file = request.files.get("file")
        if file is None or not file.filename:
            raise FileMissing
        picture = encoded(file.read())
        with transaction() as session:
            keep_picture(session, actor=actor, reward_id=reward_id, picture=picture, now=now)

    attempt(give, gettext("The picture was taken over."))
    return redirect(url_for("offer_pages.ask_for_changes", reward_id=reward_id), 303)


@pages.post("/rewards/<id:reward_id>/picture/removal")
@roles_only("administrator", "clerk")
def remove(reward_id: int) -> ResponseReturnValue:
    """Take a reward's picture away."""
    with transaction() as session:
        remove_picture(session, actor=current_actor(), reward_id=reward_id, now=clock.now())
    return redirect(url_for("offer_pages.ask_for_changes", reward_id=reward_id), 303)
