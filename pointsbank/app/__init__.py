"""The application: the one place that knows every room and puts them together."""

from flask import Flask
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix

from pointsbank.app import (
    adjusted_lines,
    doors,
    fund_places,
    home,
    jobs_page,
    navigation,
    operations,
    person_messages,
    reference,
    service_time,
    skill_messages,
    taken_back,
)
from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.db import db, engine_options, glance, hook_engine
from pointsbank.core.keys import derive_key
from pointsbank.core.settings import ROOT, Settings
from pointsbank.members import sessions
from pointsbank.web import access, contract, errors, formats, headers, languages, logs, metrics

BODY_BYTES_MAX = 1_000_000


def create_app(settings: Settings) -> Flask:
    """Make the application for these settings. Nothing is read from the environment here."""
    app = Flask(
        "pointsbank",
        root_path=str(ROOT),
        template_folder="templates",
        static_folder="static",
    )
    app.config.update(
        SECRET_KEY=derive_key(settings.secret_key, "flask"),
        SESSION_COOKIE_NAME="pointsbank_form",
        SESSION_COOKIE_SECURE=settings.is_production,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=BODY_BYTES_MAX,
        MAX_FORM_MEMORY_SIZE=BODY_BYTES_MAX,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database_url, settings.pool_size),
    )
    if settings.proxies:
        hops = settings.proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # Flask's own way to wrap
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    app.extensions["settings"] = settings
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "migrations"))
    with app.app_context():
        hook_engine(db.engine)

    def find_actor(token: str) -> Actor | None:
        with glance() as connection:
            return sessions.find_actor(connection, token, clock.now())

    logs.configure(is_json=settings.is_production, level=settings.log_level)
    logs.install(app)
    metrics.install(app)
    access.install(app, find_actor)
    errors.install(app)
    headers.install(app, is_https=settings.is_production)
    languages.install(app)
    formats.install(app)
    api = contract.install(app)
    for blueprint in doors.API_DOORS:
        api.register_blueprint(blueprint, url_prefix="/api/v1")
    for pages in doors.PAGE_DOORS:
        app.register_blueprint(pages)
    for part in (
        service_time,
        adjusted_lines,
        fund_places,
        person_messages,
        skill_messages,
        taken_back,
        navigation,
        operations,
        home,
        jobs_page,
    ):
        part.install(app)
    reference.install(app, api)
    return app
