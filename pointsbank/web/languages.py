"""Languages: Simplified Chinese first, English second; the rooms' catalogs read as one."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, request
from flask_babel import Babel, get_locale

from pointsbank.core.settings import ROOT
from pointsbank.web.access import visiting_actor

LOCALES = ("zh", "en")
LOCALE_COOKIE = "pointsbank_locale"
CATALOGS = ROOT / "translations"


def choose_locale() -> str:
    """Return the language of this request: of the cookie, the person, the browser, Chinese."""
    actor = visiting_actor()
    chosen = request.cookies.get(LOCALE_COOKIE) or (actor.locale if actor else None)
    if chosen in LOCALES:
        return str(chosen)
    return request.accept_languages.best_match(LOCALES, default="zh") or "zh"


def locale_name() -> str:
    """Return the language of this request as the templates name it: zh or en."""
    return str(get_locale() or "zh")[:2]


def compile_catalogs(catalogs: Path = CATALOGS) -> None:
    """Compile each catalog that is newer than its compiled form; a repeat does nothing."""
    for source in sorted(catalogs.glob("*/*/LC_MESSAGES/messages.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as text:
            catalog = read_po(text)
        unfinished = target.with_suffix(f".{id(catalog)}")
        with unfinished.open("wb") as compiled:
            write_mo(compiled, catalog)
        unfinished.replace(target)


def install(app: Flask) -> None:
    """Set Flask-Babel up over the rooms' catalogs."""
    compile_catalogs()
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = ";".join(
        str(path) for path in sorted(CATALOGS.glob("*")) if path.is_dir()
    )
    Babel(app, default_locale="zh", locale_selector=choose_locale)
