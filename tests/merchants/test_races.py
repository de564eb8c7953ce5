"""Races for the days of a contract and for an application, each with a control."""

from datetime import timedelta

import pytest

from pointsbank.core.db import transaction
from pointsbank.merchants import applying, contracting
from pointsbank.merchants.applying import NewApplication, apply_as_merchant, approve_application
from pointsbank.merchants.contracting import decide_contract
from pointsbank.merchants.contracts import contracts_of
from pointsbank.merchants.errors import ApplicationDecided, ContractOverlaps
from pointsbank.organizations.models import Merchant
from tests.builders import (
    COMMUNITY_CODE,
    TODAY,
    a_member,
    a_merchant,
    an_organization,
    how_many,
)
from tests.merchants.partners import a_proposal, an_administrator
from tests.moments import NOON
from tests.racing import meet_after, race

PROPOSALS = 6
DECIDERS = 4


def signing_race(app, writing):
    """Let as many contracts as there are be signed at once, all for the same last days; return
    the answers and how many hold.
    """
    with writing() as session:
        merchant_id, actor = a_merchant(session), an_administrator(session)
        # Beginnings differ, so that no unique index stands in for the lock.
        ids = [
            a_proposal(
                session, merchant_id, TODAY + timedelta(days=n), TODAY + timedelta(days=99)
            )
            for n in range(PROPOSALS)
        ]

    def signing(contract_id):
        def contestant():
            with transaction() as session:
                return decide_contract(
                    session,
                    actor=actor,
                    contract_id=contract_id,
                    is_signed=True,
                    today=TODAY,
                    now=NOON,
                )

        return contestant

    answers = race(app, [signing(contract_id) for contract_id in ids])
    with writing() as session:
        lines = contracts_of(session, merchant_id)
    return answers, sum(line.state == "in_force" for line in lines)


def test_of_contracts_signed_at_once_one_holds(app, writing):
    answers, holding = signing_race(app, writing)
    refusals = [type(each) for each in answers if isinstance(each, Exception)]
    assert (holding, refusals) == (1, [ContractOverlaps] * (PROPOSALS - 1))


@pytest.mark.engine("postgresql")
def test_control_without_the_merchants_lock_several_hold(app, writing, monkeypatch):
    monkeypatch.setattr(contracting, "lock_merchant", lambda session, _merchant_id: None)
    meet_after(monkeypatch, contracting, "_judge", PROPOSALS)
    _, holding = signing_race(app, writing)
    assert holding == PROPOSALS


def approving_race(app, writing):
    """Let several administrators approve one application at once; return the answers and how
    many merchants there are.
    """
    with writing() as session:
        an_organization(session)
        application_id = apply_as_merchant(
            session,
            applicant_id=a_member(session),
            application=NewApplication(
                "爱心超市", "community_store", COMMUNITY_CODE, "", "东街"
            ),
            now=NOON,
        )
        actors = [an_administrator(session) for _ in range(DECIDERS)]

    def approving(number, actor):
        def contestant():
            with transaction() as session:
                return approve_application(
                    session,
                    actor=actor,
                    application_id=application_id,
                    handle=bytes([number]) * 8,
                    now=NOON,
                )

        return contestant

    answers = race(app, [approving(*each) for each in enumerate(actors)])
    with writing() as session:
        return answers, how_many(session, Merchant)


def test_of_several_who_approve_at_once_one_makes_the_merchant(app, writing):
    answers, merchants = approving_race(app, writing)
    refusals = [type(each) for each in answers if isinstance(each, Exception)]
    assert (merchants, refusals) == (1, [ApplicationDecided] * (DECIDERS - 1))


@pytest.mark.engine("postgresql")
def test_control_without_the_applications_lock_there_are_several(app, writing, monkeypatch):
    monkeypatch.setattr(applying, "_lock", lambda session, _id: None)
    meet_after(monkeypatch, applying, "application_to_decide", DECIDERS)
    _, merchants = approving_race(app, writing)
    assert merchants == DECIDERS
