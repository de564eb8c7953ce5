"""The list of every room's doors."""

from flask import Blueprint

from pointsbank.web.contract import Blueprint as ApiBlueprint

API_DOORS: list[ApiBlueprint] = []
PAGE_DOORS: list[Blueprint] = []
