"""What ends an application without a person's words is read in the reader's language."""

import pytest

from pointsbank.certificates.applying import refuse
from pointsbank.certificates.models import StarApplication
from pointsbank.certificates.policy import OWN_REASONS
from pointsbank.certificates.queries import application_of
from pointsbank.messages.schemas import WORDS
from tests.builders import signed_in
from tests.certificates.starring import a_home, an_applicant, applied
from tests.moments import NOON

ENGLISH = {
    "service_time_fell": "Service time was below the hours needed when the notice ended",
    "account_stopped": "The account was stopped when the notice ended",
    "star_revoked": "A star was revoked, and the bar has not ended",
    "objection_upheld": "An objection to the public notice was upheld",
}
CHINESE = {
    "service_time_fell": "公示结束时服务时长不足",
    "account_stopped": "公示结束时账户已停用",
    "star_revoked": "已有星级被撤销，限制期未满",
    "objection_upheld": "公示期间的异议成立",
}
TYPED = "时长待核实"


def refused(session, reason):
    """Return the member whose application ended for this reason."""
    home = a_home(session)
    member_id = an_applicant(session, home)
    found = application_of(session, applied(session, member_id), ("/",))
    assert refuse(session, found, was="applied", by_id=None, reason=reason, now=NOON)
    return member_id, found.id


def test_every_reason_has_its_words():
    assert set(ENGLISH) == set(CHINESE) == set(OWN_REASONS)
    assert {f"star_refused_{reason}" for reason in OWN_REASONS} <= set(WORDS)


@pytest.mark.parametrize(("language", "words"), [("zh", CHINESE), ("en", ENGLISH)])
@pytest.mark.parametrize("reason", OWN_REASONS)
def test_a_member_reads_why_in_their_language(app, client, writing, reason, language, words):
    with writing() as session:
        member_id, application_id = refused(session, reason)
        # Kept is the code; the figure it needs stands on the application.
        assert session.get_one(StarApplication, application_id).decision_reason == reason
    headers = {**signed_in(app, member_id), "Accept-Language": language}
    (own,) = client.get("/api/v1/me/stars", headers=headers).json["applications"]
    assert (own["decision_reason"], own["decision_code"]) == (words[reason], reason)
    (told, *_) = client.get("/api/v1/me/messages", headers=headers).json["items"]
    assert told["kind"] == f"star_refused_{reason}"
    assert ("未获评定" in told["sentence"]) is (language == "zh")
    assert reason not in told["sentence"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_a_person_typed_stays(app, client, writing, language):
    with writing() as session:
        member_id, _ = refused(session, TYPED)
    headers = {**signed_in(app, member_id), "Accept-Language": language}
    (own,) = client.get("/api/v1/me/stars", headers=headers).json["applications"]
    assert (own["decision_reason"], own["decision_code"]) == (TYPED, None)
    (told, *_) = client.get("/api/v1/me/messages", headers=headers).json["items"]
    assert told["kind"] == "star_refused"
    assert TYPED in told["sentence"]
