"""Who may knock at which door: each view carries its rule, one guard judges before it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from flask import Flask, current_app, g, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user
from flask_wtf.csrf import CSRFProtect
from werkzeug import Request
from werkzeug.wrappers import Response as AnyResponse

from pointsbank.core.actor import ROLES, Actor
from pointsbank.core.errors import NotAllowed, Refusal

View = TypeVar("View", bound=Callable[..., Any])
FindActor = Callable[[str], Actor | None]

# Where a scanned address waits while its reader signs in.
AFTER_SIGN_IN = "after_sign_in"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")

csrf = CSRFProtect()


class SignInNeeded(Refusal):
    """Nobody is signed in, or the session has ended."""

    code = "sign_in_needed"
    message = "Please sign in first."


class BadForm(Refusal):
    """The form's own token is missing or from another session."""

    code = "bad_form_token"
    message = "This page has been open too long. Please load it again."


@dataclass(frozen=True)
class Rule:
    """Who may use a view: anyone, every member, or members with one of these roles somewhere.

    Which objects they may then see is the service's to scope.
    """

    roles: tuple[str, ...] = ()
    is_public: bool = False


class Visitor(UserMixin):  # type: ignore[misc]  # the library has no types
    """What Flask-Login holds for one request."""

    def __init__(self, actor: Actor) -> None:
        """Hold the actor; nothing is kept between requests."""
        self.actor = actor
        self.id = str(actor.member_id)


def anyone(view: View) -> View:
    """Open a view to everyone, signed in or not."""
    cast(Any, view).access = Rule(is_public=True)
    return view


def members_only(view: View) -> View:
    """Open a view to every signed-in member."""
    cast(Any, view).access = Rule()
    return view


def roles_only(*roles: str) -> Callable[[View], View]:
    """Open a view to members who hold one of these roles somewhere."""
    unknown = set(roles) - set(ROLES)
    if unknown or not roles:
        raise ValueError(f"no such role: {unknown}")

    def mark(view: View) -> View:
        cast(Any, view).access = Rule(roles=roles)
        return view

    return mark


def current_actor() -> Actor:
    """Return who acts in this request.

    Raises SignInNeeded.
    """
    actor = visiting_actor()
    if actor is None:
        raise SignInNeeded
    return actor


def visiting_actor() -> Actor | None:
    """Return who acts in this request, None for a stranger."""
    return current_user.actor if current_user.is_authenticated else None


def answer_a_stranger() -> None:
    """Do not look up any more who asks: what finds people has just failed.

    An answer that needs a language and a page's frame would otherwise fail the same way.
    """
    g.is_stranger = True


def session_cookie_name() -> str:
    """Return the cookie's name; wherever it is Secure, browsers tie its prefix to this host."""
    return "__Host-pointsbank" if current_app.config["SESSION_COOKIE_SECURE"] else "pointsbank"


def session_token() -> str | None:
    """Return this request's session token: the Authorization header first, else the cookie."""
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None
    return request.cookies.get(session_cookie_name())


def set_session_cookie(response: AnyResponse, token: str, seconds: int) -> None:
    """Give the browser its session: HttpOnly, SameSite=Lax, Secure outside development."""
    response.set_cookie(
        session_cookie_name(),
        token,
        max_age=seconds,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        path="/",
    )


def drop_session_cookie(response: AnyResponse) -> None:
    """Take the session from the browser."""
    response.delete_cookie(
        session_cookie_name(),
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        path="/",
    )


def wants_json() -> bool:
    """Tell a program's request from a page's."""
    return request.path.startswith("/api/")


def install(app: Flask, find_actor: FindActor) -> None:
    """Put the guard before every view; find_actor looks a session token up."""
    manager = LoginManager(app)
    manager.session_protection = None
    csrf.init_app(app)

    @manager.request_loader  # type: ignore[untyped-decorator]
    def load(_request: Request) -> Visitor | None:
        token = None if g.get("is_stranger") else session_token()
        actor = find_actor(token) if token else None
        return Visitor(actor) if actor else None

    @app.before_request
    def guard() -> AnyResponse | None:
        if request.endpoint is None or request.endpoint == "static":
            return None
        view = app.view_functions[request.endpoint]
        rule: Rule = cast(Any, view).access
        answer = judge(rule)
        allow_files(view, rule)
        # Only now is the body read: a stranger's is not, and is asked to sign in instead.
        if answer is None and needs_form_token(view):
            csrf.protect()
        return answer


def needs_form_token(view: Any) -> bool:
    """Tell whether a foreign page could make a browser send this request with its cookie.

    A program with a token has no cookie that a foreign page could use; its sign-in has neither.
    """
    return (
        request.method not in SAFE_METHODS
        and "Authorization" not in request.headers
        and not getattr(view, "is_for_programs", False)
    )


def takes_files(bytes_max: int) -> Callable[[View], View]:
    """Let those who may use this view send so large a body, above the app's own limit."""

    def mark(view: View) -> View:
        cast(Any, view).body_bytes_max = bytes_max
        return view

    return mark


def allow_files(view: Any, rule: Rule) -> None:
    """Raise the limit of this request's body, before the form's token is looked for in it."""
    bytes_max: int | None = getattr(view, "body_bytes_max", None)
    actor = visiting_actor()
    if bytes_max is None or actor is None:
        return
    if not rule.roles or actor.is_(*rule.roles):
        request.max_content_length = bytes_max


def judge(rule: Rule) -> AnyResponse | None:
    """Let the request pass (None), or send a stranger who opens a page to sign in first.

    Raises SignInNeeded, NotAllowed.
    """
    if rule.is_public:
        return None
    actor = visiting_actor()
    if actor is None:
        if wants_json() or request.method not in SAFE_METHODS:
            raise SignInNeeded
        return redirect(sign_in_address())
    if rule.roles and not actor.is_(*rule.roles):
        raise NotAllowed
    return None


def sign_in_address() -> str:
    """Return where to sign in and come back here from.

    An address that holds a code waits in the browser's signed cookie, not in a second address.
    """
    if "code" in (request.view_args or {}):
        session[AFTER_SIGN_IN] = request.path
        return url_for("sign_in.sign_in")
    return url_for("sign_in.sign_in", next=request.path)


def for_programs(view: View) -> View:
    """Mark a view that takes no cookie, so that no form token is asked of it."""
    cast(Any, view).is_for_programs = True
    return view
