"""What an operator types, and what a mistake is answered with."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from pointsbank import commands
from pointsbank.commands import main
from pointsbank.core.audit import AuditEntry
from pointsbank.jobs.models import JobRun
from pointsbank.ledger.recomputing import RULES_OF_BLOCKS
from pointsbank.ledger.verifying import RULES, last_verification
from pointsbank.members.models import Member, MemberRole
from pointsbank.organizations.models import Organization
from pointsbank.rankings.models import MemberStanding
from pointsbank.settlements.rules import RULES_OF_STATEMENTS
from tests.builders import a_member, a_score_entry, an_organization, how_many, points_for
from tests.databases import settings_for
from tests.serving import environment_of

DISTRICT = Path(__file__).parents[2] / "pointsbank" / "commands" / "data" / "kuangqu.csv"
PASSWORD = "a quiet river bank"
PEOPLE = """姓名,手机号,所属组织编码,类别,初始密码
王桂兰,13900000001,140303001002,志愿者,a quiet river bank
李敏,13900000002,140303001002,党员,
"""


@pytest.fixture
def typed(app):
    """Type a command; return what came of it."""

    def type_in(*words, **more):
        return app.test_cli_runner().invoke(main, [str(word) for word in words], **more)

    return type_in


def test_migrating_a_migrated_database_does_nothing(typed):
    result = typed("migrate")
    assert (result.exit_code, result.output) == (
        0,
        "The database is at the newest migration.\n",
    )


def test_without_a_key_nothing_runs_and_the_variable_is_named(database_url):
    result = CliRunner().invoke(
        main,
        ["ledger", "verify"],
        env={"POINTSBANK_DATABASE_URL": database_url, "POINTSBANK_SECRET_KEY": None},
    )
    assert result.exit_code == 1
    assert "POINTSBANK_SECRET_KEY is not set" in result.output


@pytest.mark.parametrize(
    "words", [("serve",), ("jobs",), ("jobs", "run", "rankings"), ("ledger", "verify")]
)
def test_nothing_runs_on_a_database_that_is_not_migrated(empty_database_url, words):
    env = environment_of(settings_for(empty_database_url))
    result = CliRunner().invoke(main, words, env=env)
    assert result.exit_code == 1
    assert "pointsbank migrate" in result.output


def test_an_administrator_over_everything_is_made(typed, writing):
    result = typed(
        "admin",
        "create",
        "--phone",
        "139 0000 0000",
        "--name",
        " 管理员 ",
        "--password",
        PASSWORD,
    )
    assert result.exit_code == 0, result.output
    assert PASSWORD not in result.output
    with writing() as session:
        member = session.scalars(select(Member)).one()
        role = session.scalars(select(MemberRole)).one()
        assert (member.phone, member.name) == ("13900000000", "管理员")
        assert member.password_hash.startswith("$argon2id$")
        assert (role.role, role.organization_id) == ("administrator", None)


def test_the_password_may_come_from_a_variable_or_a_prompt(typed, writing):
    words = ("admin", "create", "--name", "管理员", "--phone")
    by_variable = typed(*words, "13900000000", env={"POINTSBANK_ADMIN_PASSWORD": PASSWORD})
    assert by_variable.exit_code == 0, by_variable.output
    by_prompt = typed(*words, "13900000001", input=f"{PASSWORD}\n{PASSWORD}\n")
    assert by_prompt.exit_code == 0, by_prompt.output
    assert PASSWORD not in by_prompt.output
    with writing() as session:
        assert how_many(session, Member) == 2


@pytest.mark.parametrize(
    ("phone", "name", "password", "said"),
    [
        ("12345", "管理员", PASSWORD, "eleven digits"),
        ("13900000000", "  ", PASSWORD, "1 to 60 characters"),
        ("13900000000", "管理员", "12345678", "not easy to guess"),
    ],
)
def test_a_bad_administrator_is_refused(typed, writing, phone, name, password, said):
    result = typed("admin", "create", "--phone", phone, "--name", name, "--password", password)
    assert result.exit_code != 0
    assert said in result.output
    with writing() as session:
        assert how_many(session, Member) == 0


def test_organizations_and_members_are_imported_and_a_repeat_changes_nothing(
    typed, writing, tmp_path
):
    people = tmp_path / "people.csv"
    people.write_text(PEOPLE)
    assert "63 were created" in typed("organizations", "import", DISTRICT).output
    assert "63 stay" in typed("organizations", "import", DISTRICT).output
    assert "2 would be created" in typed("members", "import", "--dry-run", people).output
    with writing() as session:
        assert how_many(session, Member) == 0
    assert "2 were created" in typed("members", "import", people).output
    assert "2 stay" in typed("members", "import", people).output
    with writing() as session:
        assert how_many(session, Organization) == 63
        hashes = session.scalars(select(Member.password_hash).order_by(Member.phone)).all()
    assert hashes[0].startswith("$argon2id$")
    assert hashes[1] is None


def test_a_file_with_a_mistake_is_told_by_row_and_column_and_does_nothing(
    typed, writing, tmp_path
):
    with writing() as session:
        an_organization(session)
    people = tmp_path / "people.csv"
    people.write_text(PEOPLE + "赵国,139,140303001002,党员,\n")
    result = typed("members", "import", people)
    assert result.exit_code == 1
    assert "row 4, 手机号:" in result.output
    assert "nothing was imported" in result.output
    with writing() as session:
        assert how_many(session, Member) == 0


def test_a_job_is_run_by_hand_as_often_as_one_likes(typed, writing):
    with writing() as session:
        member = a_member(session)
        a_score_entry(session, member)
    # The second run finds nothing new.
    for touched in (1, 0):
        result = typed("jobs", "run", "rankings", "--period", "2026-Q4")
        assert (result.exit_code, result.output) == (0, f"rankings 2026-Q4: {touched}\n")
    with writing() as session:
        assert how_many(session, MemberStanding) == 1
        assert how_many(session, JobRun) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nightly",), "rankings, rankings_check, reminders, seal"),
        (("rankings", "--period", "last"), "2026-Q4"),
        (("expiry", "--period", "9999-12-31"), "today or before"),
    ],
)
def test_a_job_that_cannot_be_run_says_why(typed, words, said):
    result = typed("jobs", "run", *words)
    assert result.exit_code == 1
    assert said in result.output


def test_a_right_ledger_is_said_to_be_right(typed, writing):
    with writing() as session:
        points_for(session, a_member(session), 30, "award:1")
    result = typed("ledger", "verify")
    rules = len(RULES) + len(RULES_OF_BLOCKS) + len(RULES_OF_STATEMENTS)
    assert (result.exit_code, result.output) == (
        0,
        f"The ledger is right by all {rules} rules: 1 transfers, 0 of them sealed.\n",
    )
    with writing() as session:
        assert last_verification(session) is None


def test_a_verification_is_kept_when_it_is_asked_for(typed, writing):
    assert typed("ledger", "verify", "--record").exit_code == 0
    with writing() as session:
        session.execute(text("UPDATE account SET kind = 'merchant' WHERE code = 'expired'"))
    result = typed("ledger", "verify", "--record")
    assert result.exit_code == 1
    with writing() as session:
        assert last_verification(session).offender_count == 1


def test_each_offender_of_the_ledger_is_named(typed, writing):
    with writing() as session:
        points_for(session, a_member(session), 30, "award:1")
        session.execute(text("UPDATE wallet SET posted = posted + 1"))
        wallet = session.execute(text("SELECT account_id FROM wallet")).scalar_one()
    result = typed("ledger", "verify")
    assert result.exit_code == 1
    assert f"wallet {wallet}: not so: " in result.output


def test_every_route_is_listed_with_who_may_use_it(typed):
    lines = typed("routes").output.splitlines()
    rows = {tuple(line.split(maxsplit=2)[:2]): line.split(maxsplit=2)[2] for line in lines}
    assert rows[("GET", "/healthz")] == "anyone"
    assert rows[("GET", "/api/v1/me/passbook")] == "every member"
    assert rows[("POST", "/rankings/export.xlsx")] == "secretary, administrator, auditor"


def test_flask_has_the_same_commands(app):
    commands.install(app)
    assert set(main.commands) <= set(app.cli.commands)
    result = app.test_cli_runner().invoke(args=["ledger", "verify"])
    assert result.exit_code == 0, result.output


def test_what_a_command_changes_is_in_the_audit_trail(typed, writing):
    typed("organizations", "import", DISTRICT)
    with writing() as session:
        entries = session.execute(select(AuditEntry.action, AuditEntry.actor_id)).all()
    assert [tuple(entry) for entry in entries] == [("import_organizations", None)]
