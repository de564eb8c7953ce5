"""What an operator gets out of the ledger, and what is not given."""

import csv
import io
import stat

import openpyxl
import pytest
from beancount import loader
from sqlalchemy import select

from pointsbank.commands import main
from pointsbank.core.audit import AuditEntry
from tests.builders import COMMUNITY_CODE, a_member, points_for, points_spent

ISSUER = f"issue:community:{COMMUNITY_CODE}"


@pytest.fixture
def member(writing):
    with writing() as session:
        member_id = a_member(session)
        points_for(session, member_id, 45, "award:1")
        points_spent(session, member_id, 20, "redeem:R1")
        return member_id


@pytest.fixture
def export(app, tmp_path):
    """Type the command; return what came of it, and the file."""

    def type_in(*words, name="book"):
        path = tmp_path / name
        words = ["ledger", "export", *words, "--output", path]
        return app.test_cli_runner().invoke(main, [str(word) for word in words]), path

    return type_in


def test_an_account_is_written_for_the_operators_eyes(export, member, writing):
    done, path = export(f"member:{member}")
    assert done.exit_code == 0, done.output
    assert "2 transfers were written." in done.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))
    assert [(row["line"], row["in"], row["out"], row["balance"]) for row in rows] == [
        ("1", "45", "", "45"),
        ("2", "", "20", "25"),
    ]
    with writing() as session:
        kept = session.scalars(select(AuditEntry).where(AuditEntry.action == "export_ledger"))
        assert [each.facts["code"] for each in kept] == [f"member:{member}"]


def test_an_issuer_has_no_lines_but_a_running_balance(export, member):
    done, path = export(ISSUER, "--format", "xlsx")
    assert done.exit_code == 0, done.output
    page = openpyxl.load_workbook(io.BytesIO(path.read_bytes())).worksheets[0]
    row = [cell.value for cell in page[4]]
    assert row[0] is None
    assert row[6:8] == [45, -45]
    assert row[10] == f"member:{member}"


def test_the_whole_ledger_is_one_journal(export, member):
    done, path = export("--all", "--format", "beancount")
    assert done.exit_code == 0, done.output
    entries, errors, _ = loader.load_file(str(path))
    assert errors == []
    assert {"Liabilities:Merchant:Test", "Expenses:Issue:Community:140303001002"} <= {
        account for entry in entries for account in [getattr(entry, "account", "")]
    }


def test_without_a_file_it_goes_to_the_terminal(app, member):
    words = ["ledger", "export", f"member:{member}"]
    done = app.test_cli_runner().invoke(main, words)
    assert done.exit_code == 0
    assert done.stdout_bytes.startswith(b"\xef\xbb\xbfline,recorded,")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Name one account"),
        (("member:1", "--all"), "Name one account"),
        (("--all",), "--format beancount"),
        (("member:999",), "There is no such account."),
        (("member:1", "--format", "pdf"), "'pdf' is not one of"),
    ],
)
def test_what_cannot_be_written_leaves_no_file(export, words, said):
    done, path = export(*words)
    assert done.exit_code != 0
    assert said in done.output
    assert not path.exists()
