"""Posters: the screen's four digits, five tries, waiting for approval without them."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from pointsbank.attendance import digits as digits_file
from pointsbank.attendance.codes import (
    DIGITS_SLOT_SECONDS,
    are_digits_right,
    digits_slot_at,
    poster_text,
    venue_digits,
)
from pointsbank.attendance.digits import WRONG_TRIES_MAX, WRONG_TRIES_MINUTES
from pointsbank.attendance.models import Attendance, Scan
from pointsbank.members.models import Member
from tests.attendance.scene import SECRET, STARTS, reason
from tests.racing import forget_lock, meet_after, race

HANDLE = b"\x01\x02\x03\x04\x05"
SLOT = timedelta(seconds=DIGITS_SLOT_SECONDS)
TRIES = 12


def shown(scene, at=STARTS):
    """Return the four digits on the screen at a moment."""
    return venue_digits(SECRET, scene.shift_handle, digits_slot_at(at))


def wrong(scene, at=STARTS):
    good = {shown(scene, at), shown(scene, at - SLOT)}
    return next(each for each in ("0000", "1111", "2222") if each not in good)


def scan(scene, digits=None, at=STARTS, who=None, **more):
    code = poster_text(SECRET, scene.shift_handle)
    return scene.scan(who or scene.volunteer, code, at, digits=digits, **more)


def rows(writing, model=Attendance):
    with writing() as session:
        return session.execute(select(model.id, model.flags)).all()


def test_with_the_screens_digits_it_is_as_good_as_the_screen(scene, writing):
    assert reason(scan(scene, shown(scene))) == ("ok", "ok_in")
    assert [row.flags for row in rows(writing)] == [[]]


@pytest.mark.parametrize(
    ("later", "fits"),
    [(0, True), (1, True), (299, True), (300, True), (599, True), (600, False)],
)
def test_the_digits_before_are_taken_and_older_ones_not(later, fits):
    begins = STARTS - timedelta(seconds=STARTS.timestamp() % DIGITS_SLOT_SECONDS)
    digits = venue_digits(SECRET, HANDLE, digits_slot_at(begins))
    at = begins + timedelta(seconds=later)
    assert are_digits_right(SECRET, HANDLE, digits, at) is fits
    assert not are_digits_right(SECRET, HANDLE, digits, begins - timedelta(seconds=1))


def test_full_width_digits_and_spaces_are_read(scene):
    digits = shown(scene)
    typed = " ".join(digits).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    assert reason(scan(scene, typed)) == ("ok", "ok_in")


def test_digits_differ_between_shifts_and_say_nothing_of_each_other():
    slots = range(1000, 1200)
    one = [venue_digits(SECRET, HANDLE, slot) for slot in slots]
    other = [venue_digits(SECRET, HANDLE[::-1], slot) for slot in slots]
    assert all(len(digits) == 4 and digits.isdigit() for digits in one + other)
    assert len(set(one)) > 190
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 3


def test_wrong_digits_are_refused_and_kept(scene, writing):
    assert reason(scan(scene, wrong(scene))) == ("refuse", "wrong_digits")
    assert rows(writing) == []
    assert len(rows(writing, Scan)) == 1


def test_five_wrong_tries_stop_one_person_at_one_shift_for_ten_minutes(scene):
    for _ in range(WRONG_TRIES_MAX):
        assert reason(scan(scene, wrong(scene))) == ("refuse", "wrong_digits")
    assert reason(scan(scene, shown(scene))) == ("refuse", "digits_locked")
    later = STARTS + timedelta(minutes=WRONG_TRIES_MINUTES, seconds=1)
    assert reason(scan(scene, shown(scene), STARTS, scene.stranger))[1] == "not_claimed"
    assert reason(scan(scene, shown(scene, later), later)) == ("ok", "ok_in")


def test_waiting_for_approval_stays_open_to_whoever_typed_wrong(scene):
    for _ in range(WRONG_TRIES_MAX):
        scan(scene, wrong(scene))
    assert reason(scan(scene)) == ("confirm", "poster_waiting")
    assert reason(scan(scene, confirm=True)) == ("ok", "ok_in")


def test_without_digits_it_asks_and_is_then_held_to_be_looked_at(scene, writing):
    asked = scan(scene)
    assert reason(asked) == ("confirm", "poster_waiting")
    assert asked.facts["may_confirm"]
    assert rows(writing) == []
    verdict = scan(scene, confirm=True)
    assert verdict.facts["flags"] == ["poster_unconfirmed"]
    assert [row.flags for row in rows(writing)] == [["poster_unconfirmed"]]


def test_leaving_needs_the_digits_as_well(scene, writing):
    scene.check_in(STARTS)
    at = STARTS + timedelta(hours=1)
    assert reason(scan(scene, at=at)) == ("confirm", "poster_waiting")
    assert reason(scan(scene, shown(scene, at), at)) == ("ok", "ok_out")
    assert [row.flags for row in rows(writing)] == [[]]


def test_digits_that_come_later_do_not_take_the_flag_away(scene, writing):
    scan(scene, confirm=True)
    at = STARTS + timedelta(hours=1)
    assert reason(scan(scene, shown(scene, at), at)) == ("ok", "ok_out")
    assert [row.flags for row in rows(writing)] == [["poster_unconfirmed"]]


def test_a_station_takes_no_poster(scene):
    verdict = scan(scene, shown(scene), who=scene.organizer, shift_id=scene.shift_id)
    assert reason(verdict) == ("refuse", "wrong_purpose")


def test_a_poster_that_is_kept_for_later_is_judged_as_of_now(scene):
    """A person's own time is the server's: no backdating by a poster."""
    verdict = scan(
        scene,
        shown(scene),
        STARTS,
        scene.organizer,
        scanned_at=STARTS - timedelta(hours=1),
        is_offline=True,
    )
    assert verdict.facts["at"] == STARTS.isoformat()


def wrong_tries_at_once(scene):
    """Return the answers to twelve wrong tries of one person."""
    code, digits = poster_text(SECRET, scene.shift_handle), wrong(scene)

    def one(number):
        nonce = f"race-{number}"
        return reason(scene.scan(scene.volunteer, code, STARTS, digits=digits, nonce=nonce))

    return race(scene.app, [lambda number=number: one(number) for number in range(TRIES)])


def test_tries_at_one_moment_are_no_more_than_five(scene):
    answers = wrong_tries_at_once(scene)
    assert answers.count(("refuse", "wrong_digits")) == WRONG_TRIES_MAX
    assert answers.count(("refuse", "digits_locked")) == TRIES - WRONG_TRIES_MAX


@pytest.mark.engine("postgresql")
def test_without_the_lock_more_would_be_judged(scene, monkeypatch):
    """The control: all have counted the tries before one is kept."""
    forget_lock(monkeypatch, digits_file, Member.id)
    meet_after(monkeypatch, digits_file, "are_digits_right", TRIES)
    assert wrong_tries_at_once(scene) == [("refuse", "wrong_digits")] * TRIES
