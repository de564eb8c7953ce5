"""The command that makes an administrator."""

import os

import click

from pointsbank.commands.applying import migrated_app, told
from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import transaction
from pointsbank.core.keys import draw_bytes
from pointsbank.core.settings import Settings
from pointsbank.core.text import cleaned, phone_from
from pointsbank.members import passwords
from pointsbank.members.models import HANDLE_BYTES
from pointsbank.members.service import add_first_administrator

PASSWORD_VARIABLE = "POINTSBANK_ADMIN_PASSWORD"
NAME_LENGTH_MAX = 60


@click.group()
def admin() -> None:
    """Look after administrators."""


@admin.command()
@click.option("--phone", required=True, help="The mobile number to sign in with.")
@click.option("--name", required=True)
@click.option("--password", help=f"If left out, {PASSWORD_VARIABLE} or a prompt tells it.")
@told
def create(phone: str, name: str, password: str | None) -> None:
    """Make an administrator over everything."""
    digits = phone_from(phone)
    if digits is None:
        raise click.BadParameter("a mobile number has eleven digits", param_hint="--phone")
    full_name = cleaned(name)
    if not 1 <= len(full_name) <= NAME_LENGTH_MAX:
        raise click.BadParameter("a name has 1 to 60 characters", param_hint="--name")
    secret = password or os.environ.get(PASSWORD_VARIABLE) or ask_password()
    passwords.check_strength(secret)
    with migrated_app() as app:
        settings: Settings = app.extensions["settings"]
        hasher = passwords.hasher_for(is_cheap=settings.argon2_cheap)
        now = clock.now()
        with transaction() as session:
            member_id = add_first_administrator(
                session,
                name=full_name,
                phone=digits,
                password_hash=passwords.hashed(secret, hasher),
                handle=draw_bytes(HANDLE_BYTES),
                now=now,
                today=local_day(now, settings.zone),
            )
    click.echo(f"Administrator made: member {member_id}.")


def ask_password() -> str:
    """Ask twice, without showing what is typed."""
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
