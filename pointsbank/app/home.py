"""The first page: what is next for the person who opens it."""

from flask import Flask, redirect, url_for
from flask.typing import ResponseReturnValue

from pointsbank.web.access import anyone, visiting_actor


def install(app: Flask) -> None:
    """Add the first page."""

    @app.get("/")
    @anyone
    def home() -> ResponseReturnValue:
        if visiting_actor() is None:
            return redirect(url_for("sign_in.sign_in"))
        return redirect("/healthz")
