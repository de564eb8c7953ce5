"""People from a file: all or nothing, within a scope, and never a phone said back."""

import io
import time

import openpyxl
import pytest
from sqlalchemy import func, select, update

from pointsbank.core.audit import AuditEntry
from pointsbank.core.keys import draw_bytes
from pointsbank.ledger.models import Account, Wallet
from pointsbank.ledger.verifying import offenders
from pointsbank.members import passwords
from pointsbank.members.importing import (
    INITIAL_PASSWORDS_MAX,
    KIND_WORDS,
    KINDS,
    hashed_passwords,
    import_members,
    read_members,
)
from pointsbank.members.models import MEMBER_KINDS, Member
from pointsbank.members.queries import members_within
from pointsbank.organizations.queries import organization_of
from tests.builders import COMMUNITY_CODE, a_member, an_organization, how_many, with_role
from tests.moments import NOON

HEADER = "volunteer_no,name,phone,organization_code,kind,initial_password\n"
PASSWORD = "a quiet river bank"


def imported(session, rows, paths=("/",), header=HEADER, filename="people.csv", **more):
    content = rows if isinstance(rows, bytes) else (header + rows).encode()
    table, problems = read_members(content, filename)
    given = {
        "table": table,
        "problems": problems,
        "paths": paths,
        "password_hashes": hashed_passwords(table, passwords.CHEAP_HASHER),
        "draw_handle": draw_bytes,
        "actor_id": None,
        "now": NOON,
        "today": NOON.date(),
        **more,
    }
    return import_members(session, **given)


def rejected(report):
    assert (report.created, report.updated, report.unchanged) == (0, 0, 0)
    return [(problem.row, problem.column, problem.sentence) for problem in report.rejected]


@pytest.fixture
def place(session):
    return an_organization(session)


def test_kind_words_mean_one_kind_each():
    assert set(KIND_WORDS) == set(MEMBER_KINDS)
    assert len(KINDS) == sum(1 + len(words) for words in KIND_WORDS.values())


def test_people_are_taken_in_and_a_repeat_changes_nothing(session, place):
    rows = (
        f"V1,王桂兰,13800138000,{COMMUNITY_CODE},志愿者,{PASSWORD}\n"
        f",李敏,１３８ ００１３ ８００１,{COMMUNITY_CODE},party_member,\n"
        f"V3,老张,,{COMMUNITY_CODE},居民,\n"
    )
    report = imported(session, rows)
    assert (report.created, report.updated, report.unchanged, report.rejected) == (3, 0, 0, ())
    people = {each.name: each for each in members_within(session, ("/",))}
    assert people["王桂兰"].volunteer_no == "V1"
    assert people["李敏"].phone == "13800138001"
    assert people["李敏"].volunteer_no == "10000001"
    assert people["老张"].phone is None
    assert {each.organization_id for each in people.values()} == {place}
    assert len({each.handle for each in people.values()}) == 3
    again = imported(session, rows)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 3)
    assert offenders(session) == []


def test_everyone_taken_in_has_an_empty_passbook(session, place):
    imported(session, f"V1,甲,,{COMMUNITY_CODE},居民,\nV2,乙,,{COMMUNITY_CODE},居民,\n")
    ids = set(session.scalars(select(Member.id)))
    codes = set(
        session.scalars(
            select(Account.code)
            .join(Wallet, Wallet.account_id == Account.id)
            .where(Wallet.posted == 0)
        )
    )
    assert {f"member:{each}" for each in ids} == codes


def test_an_initial_password_opens_the_door_once_only(session, place):
    imported(session, f"V1,甲,,{COMMUNITY_CODE},居民,\n")
    imported(session, f"V1,甲,,{COMMUNITY_CODE},居民,{PASSWORD}\n")
    first = session.scalar(select(Member.password_hash))
    assert passwords.is_right(PASSWORD, first, passwords.CHEAP_HASHER)
    report = imported(session, f"V1,甲,,{COMMUNITY_CODE},居民,another river bank\n")
    assert report.unchanged == 1
    session.expire_all()
    assert session.scalar(select(Member.password_hash)) == first


def test_a_row_brings_a_person_up_to_date(session, place):
    branch = an_organization(session, "b1", "branch", name="第一支部")
    imported(session, f"V1,甲,13800138000,{COMMUNITY_CODE},居民,\n")
    report = imported(session, "V1,甲（改）,13800138009,b1,党员,\n")
    assert (report.created, report.updated) == (0, 1)
    person = members_within(session, ("/",))[0]
    assert (person.name, person.phone, person.kind, person.organization_id) == (
        "甲（改）",
        "13800138009",
        "party_member",
        branch,
    )
    imported(session, "V1,甲（改）,,b1,党员,\n")
    assert members_within(session, ("/",))[0].phone == "13800138009"


def test_chinese_headings_without_numbers_or_passwords_are_enough(session, place):
    header = "姓名,手机号,所属组织编码,类别\n"
    report = imported(session, f"甲,13800138000,{COMMUNITY_CODE},预备党员\n", header=header)
    assert report.created == 1
    assert members_within(session, ("/",))[0].kind == "probationary_member"


def test_a_workbook_with_phones_as_numbers_is_taken(session, place):
    book = openpyxl.Workbook()
    book.active.append(["name", "phone", "organization_code", "kind"])
    book.active.append(["甲", 13800138000, int(COMMUNITY_CODE), "volunteer"])
    content = io.BytesIO()
    book.save(content)
    assert imported(session, content.getvalue(), filename="people.xlsx").created == 1
    assert members_within(session, ("/",))[0].phone == "13800138000"


@pytest.mark.parametrize(
    ("row", "column", "sentence"),
    [
        ("V1,,13800138000,{},居民,", "name", "A name has 1 to %(most)s characters."),
        (
            "V1,\u202e\u200b,13800138000,{},居民,",
            "name",
            "A name has 1 to %(most)s characters.",
        ),
        ("V1,甲,1380013800,{},居民,", "phone", "This is not a mobile number of eleven digits."),
        (
            "V1,甲,03531234567,{},居民,",
            "phone",
            "This is not a mobile number of eleven digits.",
        ),
        (",甲,,{},居民,", "phone", "A person needs a phone number or a volunteer number."),
        (
            "V 1/2,甲,,{},居民,",
            "volunteer_no",
            "A volunteer number has 1 to 20 letters, digits or dashes.",
        ),
        (
            "V1,甲,,nowhere,居民,",
            "organization_code",
            "There is no organization with this code.",
        ),
        ("V1,甲,,,居民,", "organization_code", "There is no organization with this code."),
        ("V1,甲,,{},神仙,", "kind", "This kind is not known."),
        (
            "V1,甲,,{},居民,12345678",
            "initial_password",
            "Please choose a password of at least 8 characters that is not easy to guess.",
        ),
        (
            "V1,=A1,,{},居民,",
            "name",
            "This cell holds a formula. Please enter its value instead.",
        ),
        ("V9,甲,,{},居民,", "volunteer_no", "This number stands in row %(other)s already."),
        (
            ",甲,13900139000,{},居民,",
            "phone",
            "This phone number stands in row %(other)s already.",
        ),
        (
            "V7,甲,13700137000,{},居民,",
            "phone",
            "This phone number already belongs to a member.",
        ),
    ],
)
def test_one_bad_row_keeps_all_out(session, place, row, column, sentence):
    a_member(session, phone="13700137000", volunteer_no="T1")
    rows = f"V9,好,13900139000,{COMMUNITY_CODE},居民,\n{row.format(COMMUNITY_CODE)}\n"
    assert rejected(imported(session, rows)) == [(3, column, sentence)]
    assert how_many(session, Member) == 1


def test_problems_never_say_a_phone_back(session, place):
    a_member(session, phone="13700137000")
    report = imported(
        session,
        f"V1,甲,13700137000,{COMMUNITY_CODE},居民,\nV2,乙,1370013700x,{COMMUNITY_CODE},居民,\n",
    )
    assert len(report.rejected) == 2
    assert "13700137" not in repr(report)


def test_names_keep_markup_and_emoji_and_lose_what_is_invisible(session, place):
    imported(session, f'V1,"<script>甲</script>🎉\u202e\u2066",,{COMMUNITY_CODE},居民,\n')
    assert session.scalar(select(Member.name)) == "<script>甲</script>🎉"


@pytest.fixture
def two_branches(session):
    """The secretary's branch, its path, and another branch with one member."""
    mine = an_organization(session, "mine", "branch")
    other = an_organization(session, "other", "branch")
    a_member(session, organization_id=other, phone="13700137000", volunteer_no="X1")
    return organization_of(session, mine).path


@pytest.mark.parametrize(
    ("row", "column", "sentence"),
    [
        ("V1,甲,,other,居民,", "organization_code", "There is no organization with this code."),
        (
            "X1,甲,,mine,居民,",
            "volunteer_no",
            "This volunteer number already belongs to a member.",
        ),
        (
            ",甲,13700137000,mine,居民,",
            "phone",
            "This phone number already belongs to a member.",
        ),
    ],
)
def test_a_secretary_reaches_nobody_elsewhere(session, two_branches, row, column, sentence):
    report = imported(session, f"{row}\n", paths=(two_branches,))
    assert rejected(report) == [(2, column, sentence)]
    assert how_many(session, Member) == 1


def test_a_secretary_does_not_change_an_administrator(session, two_branches):
    mine = int(two_branches.strip("/"))
    person = a_member(session, "甲", organization_id=mine, volunteer_no="A1")
    with_role(session, person, "administrator")
    session.execute(update(Member).where(Member.id == person).values(phone="13600136000"))
    row = "A1,甲,13600136009,mine,volunteer,\n"
    report = imported(session, row, paths=(two_branches,))
    assert rejected(report) == [(2, "name", "This person is not yours to change.")]
    same = imported(session, "A1,甲,13600136000,mine,volunteer,\n", paths=(two_branches,))
    assert same.unchanged == 1
    assert imported(session, row, paths=("/",)).updated == 1


def test_an_import_is_noted_without_names(session, place):
    imported(session, f"V1,甲,13800138000,{COMMUNITY_CODE},居民,\n")
    entry = session.scalars(
        select(AuditEntry).where(AuditEntry.action == "import_members")
    ).one()
    assert entry.facts == {"created": 1, "updated": 0}


def test_more_initial_passwords_than_can_be_hashed_are_refused(session, place):
    row = f",甲,1380{{:07d}},{COMMUNITY_CODE},居民,{PASSWORD}\n"
    content = HEADER + "".join(row.format(n) for n in range(INITIAL_PASSWORDS_MAX + 1))
    table, problems = read_members(content.encode(), "people.csv")
    assert len(table.rows) == INITIAL_PASSWORDS_MAX + 1
    assert [(p.row, p.column) for p in problems] == [
        (INITIAL_PASSWORDS_MAX + 2, "initial_password")
    ]


def test_handles_that_are_taken_are_drawn_again(session, place):
    first = iter([b"aaaaa", b"aaaaa", b"bbbbb", b"ccccc"])
    rows = f"V1,甲,,{COMMUNITY_CODE},居民,\nV2,乙,,{COMMUNITY_CODE},居民,\n"
    imported(session, rows, draw_handle=lambda _length: next(first))
    second = iter([b"bbbbb", b"ddddd"])
    row = f"V3,丙,,{COMMUNITY_CODE},居民,\n"
    imported(session, row, draw_handle=lambda _length: next(second))
    handles = {bytes(handle) for handle in session.scalars(select(Member.handle))}
    assert handles == {b"aaaaa", b"bbbbb", b"ddddd"}


@pytest.mark.slow
def test_fifty_thousand_people_are_taken_in_quickly(writing):
    with writing() as session:
        an_organization(session)
    rows = "".join(f",志愿者{n},13{n:09d},{COMMUNITY_CODE},volunteer,\n" for n in range(50_000))
    began = time.perf_counter()
    with writing() as session:
        report = imported(session, rows)
    took = time.perf_counter() - began
    assert (report.created, report.rejected) == (50_000, ())
    assert took < 90
    with writing() as session:
        assert session.scalar(select(func.count()).select_from(Wallet)) == 50_000
        last = session.scalar(select(func.max(Member.volunteer_no)))
        assert last == "10050000"
