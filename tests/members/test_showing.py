"""Redemption codes are good once, cards until they are revoked."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pointsbank.core.db import run
from pointsbank.core.keys import draw_number
from pointsbank.ledger.verifying import offenders
from pointsbank.members import showing
from pointsbank.members.codes import (
    GENERAL,
    REDEMPTION_SECONDS,
    card_text,
    personal_text,
    redemption_digits,
    redemption_text,
)
from pointsbank.members.errors import (
    CardLocked,
    CardNotFound,
    CodeExpired,
    CodeUsed,
    ForgedCode,
    MemberSuspended,
    NotOurCode,
    WrongCodePurpose,
)
from pointsbank.members.models import RedemptionCode
from pointsbank.members.service import suspend_member
from tests.builders import a_member, how_many
from tests.moments import NOON
from tests.racing import race, times

SECRET = "a secret of at least thirty-two characters"
NUMBER = "123456789012345"
CARD = b"0123456789"


def draw(session, member_id, number=NUMBER, now=NOON):
    return showing.draw_redemption_code(
        session, member_id=member_id, number=number, secret=SECRET, now=now
    )


def use(session, text, now=NOON):
    return showing.use_redemption_code(session, text=text, secret=SECRET, now=now)


def look(session, text, now=NOON):
    return showing.member_of_redemption_code(session, text=text, secret=SECRET, now=now)


@pytest.mark.parametrize(
    "form",
    [
        redemption_text(SECRET, NUMBER),
        "HTTPS://X.CN/R/" + redemption_text(SECRET, NUMBER),
        redemption_digits(NUMBER),
        "7712 3456 7890 123450",
        "".join(chr(ord(digit) + 0xFEE0) for digit in redemption_digits(NUMBER)),
    ],
)
def test_a_code_is_used_once_in_whatever_form(session, form):
    member_id = a_member(session)
    assert draw(session, member_id) == NOON + timedelta(seconds=REDEMPTION_SECONDS)
    assert look(session, form) == look(session, form) == member_id
    assert use(session, form) == member_id
    for judge in (use, look):
        with pytest.raises(CodeUsed):
            judge(session, form)


def test_a_code_lives_a_minute(session):
    member_id = a_member(session)
    draw(session, member_id)
    text = redemption_text(SECRET, NUMBER)
    assert look(session, text, NOON + timedelta(seconds=59)) == member_id
    for judge in (use, look):
        with pytest.raises(CodeExpired):
            judge(session, text, NOON + timedelta(seconds=60))


def test_a_new_code_kills_the_one_before(session):
    member_id, other_id = a_member(session), a_member(session)
    draw(session, member_id)
    draw(session, other_id, "000000000000001")
    draw(session, member_id, "000000000000002")
    with pytest.raises(CodeExpired):
        use(session, redemption_text(SECRET, NUMBER))
    assert use(session, redemption_text(SECRET, "000000000000001")) == other_id
    assert use(session, redemption_text(SECRET, "000000000000002")) == member_id


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", NotOurCode),
        ("hello", NotOurCode),
        ("7712345678901234" + "51", NotOurCode),
        (redemption_digits("555555555555555"), ForgedCode),
        (redemption_text(SECRET, "555555555555555"), ForgedCode),
        (redemption_text("another secret", NUMBER), ForgedCode),
        (personal_text(SECRET, b"12345", GENERAL, NOON), WrongCodePurpose),
        (card_text(SECRET, CARD), WrongCodePurpose),
    ],
)
def test_other_codes_are_refused_with_their_own_reason(session, text, refusal):
    draw(session, a_member(session))
    for judge in (use, look):
        with pytest.raises(refusal):
            judge(session, text)


def test_wrong_purposes_say_which_code_it_is(session):
    with pytest.raises(WrongCodePurpose, match="check-in code"):
        use(session, personal_text(SECRET, b"12345", GENERAL, NOON))
    with pytest.raises(WrongCodePurpose, match="paper card"):
        use(session, card_text(SECRET, CARD))


def test_a_stopped_member_cannot_redeem(session):
    member_id = a_member(session)
    draw(session, member_id)
    suspend_member(
        session, member_id=member_id, suspended_by_id=None, now=NOON, today=NOON.date()
    )
    for judge in (use, look):
        with pytest.raises(MemberSuspended):
            judge(session, redemption_digits(NUMBER))


def test_only_hashes_are_kept(session):
    draw(session, a_member(session))
    kept = bytes(session.scalars(select(RedemptionCode.number_hash)).one())
    assert NUMBER.encode() not in kept
    assert int(NUMBER).to_bytes(7) not in kept


def test_fifty_uses_at_once_and_one_succeeds(app, writing):
    with writing() as session:
        draw(session, a_member(session))
    text = redemption_digits(NUMBER)
    answers = race(app, times(50, lambda: run(lambda session: use(session, text))))
    winners = [answer for answer in answers if isinstance(answer, int)]
    assert len(winners) == 1
    assert {type(answer) for answer in answers if answer not in winners} == {CodeUsed}
    with writing() as session:
        assert offenders(session) == []


@pytest.mark.engine("postgresql")
def test_without_the_guard_several_would_succeed(app, writing):
    """The negative control: look first and write then, as the guarded statement does not."""
    with writing() as session:
        draw(session, a_member(session))
    text = redemption_digits(NUMBER)
    all_have_looked = threading.Barrier(5)

    def look_then_use(session):
        member_id = look(session, text)
        all_have_looked.wait(30)
        session.execute(update(RedemptionCode).values(state="used", used_at=NOON))
        return member_id

    answers = race(app, times(5, lambda: run(look_then_use)))
    assert len(set(answers)) == 1
    assert isinstance(answers[0], int)


def test_twenty_draws_at_once_leave_one_fresh_code(app, writing):
    with writing() as session:
        member_id = a_member(session)

    def draw_one():
        number = draw_number(15)
        return run(lambda session: draw(session, member_id, number))

    answers = race(app, times(20, draw_one))
    drawn = [answer for answer in answers if not isinstance(answer, Exception)]
    assert drawn
    with writing() as session:
        states = list(session.scalars(select(RedemptionCode.state)))
    assert states.count("fresh") == 1
    assert len(states) == len(drawn)


def a_card(session, member_id, pin="246810"):
    return showing.issue_card(
        session,
        member_id=member_id,
        number=CARD,
        pin=pin,
        secret=SECRET,
        issued_by_id=None,
        now=NOON,
    )


def check(session, pin, now=NOON):
    return showing.check_card_pin(
        session, text=card_text(SECRET, CARD), pin=pin, secret=SECRET, now=now
    )


def test_a_card_is_good_until_it_is_revoked(session):
    member_id = a_member(session)
    card_id = a_card(session, member_id)
    text = card_text(SECRET, CARD)
    assert showing.member_of_card(session, text=text, secret=SECRET, now=NOON) == member_id
    with pytest.raises(CardNotFound):
        showing.revoke_card(
            session, member_id=a_member(session), card_id=card_id, revoked_by_id=None, now=NOON
        )
    for refused in (False, True):
        if refused:
            with pytest.raises(CardNotFound):
                showing.revoke_card(
                    session,
                    member_id=member_id,
                    card_id=card_id,
                    revoked_by_id=None,
                    now=NOON,
                )
        else:
            showing.revoke_card(
                session, member_id=member_id, card_id=card_id, revoked_by_id=None, now=NOON
            )
    with pytest.raises(CardNotFound):
        showing.member_of_card(session, text=text, secret=SECRET, now=NOON)


def test_six_digits_spend_and_five_wrong_tries_lock(session):
    member_id = a_member(session)
    a_card(session, member_id)
    assert check(session, "２４６８１０") == member_id
    for _ in range(5):
        assert check(session, "000000") is None
    with pytest.raises(CardLocked) as locked:
        check(session, "246810")
    assert locked.value.facts["retry_after_seconds"] == 900
    later = NOON + timedelta(minutes=15)
    assert check(session, "000000", later) is None
    assert check(session, "246810", later) == member_id


def test_a_card_without_digits_spends_nothing(session):
    a_card(session, a_member(session), pin=None)
    for pin in ("", "000000", "None"):
        assert check(session, pin) is None


def test_a_forged_or_foreign_card_is_refused(session):
    for text, refusal in [
        (card_text("another secret", CARD), ForgedCode),
        (card_text(SECRET, b"never made"), CardNotFound),
        (redemption_text(SECRET, NUMBER), WrongCodePurpose),
        ("nothing", NotOurCode),
    ]:
        with pytest.raises(refusal):
            showing.member_of_card(session, text=text, secret=SECRET, now=NOON)
    assert how_many(session, RedemptionCode) == 0
