"""The list of every room's doors."""

from flask import Blueprint

from pointsbank.scoring.api import api as scoring_api
from pointsbank.tasks.api import api as tasks_api
from pointsbank.web.contract import Blueprint as ApiBlueprint

API_DOORS: list[ApiBlueprint] = [scoring_api, tasks_api]
PAGE_DOORS: list[Blueprint] = []
