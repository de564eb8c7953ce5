"""The WSGI entry: reads the settings once and makes the application."""

import os

from pointsbank import commands
from pointsbank.app import create_app
from pointsbank.core.settings import read_settings

app = create_app(read_settings(os.environ))
commands.install(app)
