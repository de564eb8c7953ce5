"""Rights of the role that serves, on PostgreSQL: all it needs, and no way to alter the past."""

import click
from sqlalchemy import text
from sqlalchemy.orm import Session

# Rows are added here and never changed. Triggers refuse it to everyone; the role that serves
# lacks the right as well, and cannot take the triggers away, since it owns no table.
NEVER_CHANGED = (
    "transfer",
    "block",
    "merchant_checkpoint",
    "audit_entry",
    "snapshot",
    "snapshot_line",
)
CHANGING = ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER")

STATEMENTS = (
    "GRANT USAGE ON SCHEMA public TO {role}",
    "REVOKE CREATE ON SCHEMA public FROM {role}",
    "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    f"REVOKE UPDATE, DELETE ON {', '.join(NEVER_CHANGED)} FROM {{role}}, PUBLIC",
    "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}",
    "REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    # They lock tables for a moment with their owner's rights: the sealer and the roll-up alone
    # need it.
    *(
        statement.format(function=function, role="{role}")
        for function in ("decided_transfer_id()", "decided_score_ids()")
        for statement in (
            "REVOKE ALL ON FUNCTION {function} FROM PUBLIC",
            "GRANT EXECUTE ON FUNCTION {function} TO {role}",
        )
    ),
)

ROLE = text(
    """
    SELECT quote_ident(rolname) AS quoted, rolsuper,
           pg_has_role(oid, (SELECT relowner FROM pg_class
                             WHERE oid = 'public.transfer'::regclass), 'MEMBER') AS is_owner
    FROM pg_roles WHERE rolname = :role
    """
)
MAY = text("SELECT has_table_privilege(:role, 'public.' || :table, :right)")


def grant_to(session: Session, role: str) -> None:
    """Give a role the rights that the service needs, and take those that change the past.

    To be run by the tables' owner, again after each migration; a repeat changes nothing.
    Raises ClickException where there are no roles, not this one, or one from which nothing can
    be withheld. Rule: docs/running.md, "Roles".
    """
    if session.get_bind().dialect.name != "postgresql":
        raise click.ClickException("Only PostgreSQL has roles: leave --app-role out.")
    found = session.execute(ROLE, {"role": role}).first()
    if found is None:
        raise click.ClickException(
            f"There is no role {role}: make it first, with CREATE ROLE {role} LOGIN."
        )
    if found.rolsuper or found.is_owner:
        raise too_mighty(role)
    for statement in STATEMENTS:
        session.execute(text(statement.format(role=found.quoted)))
    for table in NEVER_CHANGED:
        for right in CHANGING:
            if session.scalar(MAY, {"role": role, "table": table, "right": right}):
                raise too_mighty(role)


def too_mighty(role: str) -> click.ClickException:
    """Return the refusal of a role from which nothing can be withheld."""
    return click.ClickException(
        f"{role} owns the tables, is a superuser, or belongs to a role that may change them:"
        " serve as another."
    )
