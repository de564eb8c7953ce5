"""Organizations and merchants one at a time, and what is seen of them within a scope."""

import pytest
from sqlalchemy import select, text

from pointsbank.ledger.models import Account
from pointsbank.organizations.errors import (
    MerchantNotFound,
    OrganizationCodeTaken,
    OrganizationNotFound,
    TreeTooDeep,
    UnknownKind,
)
from pointsbank.organizations.models import LEVELS_MAX, Organization
from pointsbank.organizations.queries import (
    in_scope,
    lineage_of,
    merchant_of,
    merchants_within,
    organization_by_code,
    organization_of,
    organizations_within,
    subtree_ids,
    within,
)
from pointsbank.organizations.service import add_merchant, add_organization
from tests.builders import a_merchant, an_organization

PATH = Organization.path


def test_a_path_leads_from_the_top_down(session):
    top = an_organization(session, "a", "district")
    street = an_organization(session, "b", "street", parent=top)
    community = an_organization(session, "c", "community", parent=street)
    assert organization_of(session, community).path == f"/{top}/{street}/{community}/"
    assert organization_of(session, community).depth == 2
    assert [node.code for node in lineage_of(session, f"/{top}/{street}/{community}/")] == [
        "a",
        "b",
        "c",
    ]
    assert subtree_ids(session, street) == [street, community]


def test_a_neighbour_whose_number_begins_alike_is_out_of_scope(session):
    """/1/ must not cover /10/: the slash at the end keeps them apart."""
    tops = [an_organization(session, f"t{n:02}", "district") for n in range(12)]
    first, tenth = min(tops), next(each for each in tops if str(each).startswith("1"))
    assert in_scope(f"/{first}/", [f"/{first}/"])
    assert not in_scope(f"/{tenth}0/", [f"/{tenth}/"])
    codes = [node.code for node in organizations_within(session, [f"/{first}/"])]
    assert codes == ["t00"]
    assert organizations_within(session, []) == []


def test_whatever_the_tree_the_database_sees_what_lies_under_a_place(session, dice):
    """As in_scope tells it, of any place and of several, with numbers that begin alike."""
    ids = []
    for number in range(60):
        parent = dice.choice([None, *ids])
        is_deep = parent and organization_of(session, parent).depth == LEVELS_MAX - 1
        ids.append(
            an_organization(session, f"o{number:02}", parent=None if is_deep else parent)
        )
    places = [organization_of(session, each) for each in ids]
    for asked in ([], ["/"], *([each.path] for each in places), [p.path for p in places[:3]]):
        found = set(session.scalars(select(Organization.id).where(within(PATH, asked))))
        assert found == {each.id for each in places if in_scope(each.path, asked)}


def plan_under_a_place(session):
    """Return the plan of what lies under a place; that the tree is small is no reason."""
    session.execute(text("SET LOCAL enable_seqscan = off"))
    session.execute(text("SET LOCAL enable_bitmapscan = off"))
    connection = session.connection()
    asked = select(Organization.id).where(within(PATH, ["/1/5/"]))
    said = asked.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {said}"))


@pytest.mark.engine("postgresql")
@pytest.mark.changes_schema
def test_what_lies_under_a_place_is_found_by_an_index(session):
    assert "Index Cond: (((path)::text >= '/1/5/'::text) AND" in plan_under_a_place(session)
    # The control: compared as words of a language, what begins alike lies anywhere.
    session.execute(
        text('ALTER TABLE organization ALTER path TYPE varchar(400) COLLATE "default"')
    )
    assert "Index Cond" not in plan_under_a_place(session)


def test_a_code_is_taken_once_and_a_parent_must_stand(session, now):
    an_organization(session, "a", "district")
    with pytest.raises(OrganizationCodeTaken):
        an_organization(session, "a", "district")
    for code, kind, parent, refusal in [
        ("b", "street", "nowhere", OrganizationNotFound),
        ("b", "galaxy", "a", UnknownKind),
    ]:
        with pytest.raises(refusal):
            add_organization(
                session, code=code, name="乙", kind=kind, parent_code=parent, now=now
            )


def test_a_tree_has_so_many_levels_and_no_more(session, now):
    parent = None
    for level in range(LEVELS_MAX):
        add_organization(
            session, code=f"n{level}", name="层", kind="grid", parent_code=parent, now=now
        )
        parent = f"n{level}"
    with pytest.raises(TreeTooDeep):
        add_organization(
            session, code="deep", name="层", kind="grid", parent_code=parent, now=now
        )


def test_foreign_and_unknown_look_alike(session):
    mine = an_organization(session, "a", "district")
    an_organization(session, "b", "district")
    shop = a_merchant(session, organization_id=mine)
    path = organization_of(session, mine).path
    assert organization_by_code(session, "a", [path]).id == mine
    for code in ("b", "nowhere"):
        with pytest.raises(OrganizationNotFound):
            organization_by_code(session, code, [path])
    assert merchant_of(session, shop, [path]).name == "惠民粮油店"
    for paths, merchant_id in (([], shop), (["/999/"], shop), ([path], 10**9)):
        with pytest.raises(MerchantNotFound):
            merchant_of(session, merchant_id, paths)


def test_a_merchant_has_an_account_in_the_ledger(session, now):
    an_organization(session, "a", "district")
    shop = add_merchant(session, name="店", organization_code="a", kind="shop", now=now)
    kind = session.scalar(select(Account.kind).where(Account.code == f"merchant:{shop}"))
    assert kind == "merchant"
    assert [line.id for line in merchants_within(session, ("/",))] == [shop]
    with pytest.raises(UnknownKind):
        add_merchant(session, name="店", organization_code="a", kind="bank", now=now)
