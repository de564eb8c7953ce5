"""Hands scoring, which stands on a higher step, to those who take lines of a passbook back."""

from flask import Flask

from pointsbank.scoring.reversals import lower_score


def install(app: Flask) -> None:
    """Leave the way to the scores where the doors of reversals and disputes look for it."""
    app.extensions["lower_score"] = lower_score
