"""Consent: given for one purpose, by the person or on paper, and taken back at once."""

import pytest
from sqlalchemy import select

from pointsbank.core.db import transaction
from pointsbank.members.consenting import (
    consents_of,
    give_consent,
    who_consents,
    withdraw_consent,
)
from pointsbank.members.errors import OwnPaperConsent, UnknownPurpose
from pointsbank.members.models import Consent
from tests.builders import a_member
from tests.moments import NOON
from tests.racing import race, times


def give(session, member_id, purpose="publish_name", **more):
    return give_consent(
        session,
        member_id=member_id,
        purpose=purpose,
        now=NOON,
        **({"recorded_by_id": member_id} | more),
    )


def test_consent_stands_from_when_it_is_given_until_it_is_taken_back(session, now):
    member_id, other = a_member(session), a_member(session, "李建军")
    assert who_consents(session, "publish_name", [member_id, other]) == set()
    assert give(session, member_id)
    assert not give(session, member_id)
    assert who_consents(session, "publish_name", [member_id, other]) == {member_id}
    assert who_consents(session, "publish_name", []) == set()
    (named,) = consents_of(session, member_id)
    assert (named.purpose, named.channel, named.version, named.given_at) == (
        "publish_name",
        "screen",
        1,
        now,
    )
    taken = {"member_id": member_id, "purpose": "publish_name", "recorded_by_id": member_id}
    assert withdraw_consent(session, **taken, now=now)
    assert not withdraw_consent(session, **taken, now=now)
    assert who_consents(session, "publish_name", [member_id]) == set()
    assert give(session, member_id)
    rows = session.scalars(select(Consent).order_by(Consent.id)).all()
    assert [row.withdrawn_at is None for row in rows] == [False, True]


def test_a_paper_is_recorded_by_somebody_else(session):
    member_id, secretary = a_member(session), a_member(session, "赵书记")
    with pytest.raises(OwnPaperConsent):
        give(session, member_id, channel="paper")
    with pytest.raises(OwnPaperConsent):
        give(session, member_id, recorded_by_id=secretary)
    with pytest.raises(UnknownPurpose):
        give(session, member_id, "publish_phone")
    assert give(session, member_id, recorded_by_id=secretary, channel="paper")
    assert consents_of(session, member_id)[0].channel == "paper"


def test_of_many_clicks_at_once_one_consent_stands(app, writing):
    with writing() as session:
        member_id = a_member(session)

    def click():
        with transaction() as session:
            return give(session, member_id)

    answers = race(app, times(6, click))
    assert sorted(answers, key=str) == [False] * 5 + [True]
