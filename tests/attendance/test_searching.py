"""People without a code are found by name, number or the end of a phone."""

import pytest

from pointsbank.attendance.searching import FOUND_MAX, find_people
from pointsbank.members.models import Member
from tests.attendance.scene import STARTS
from tests.builders import a_branch, a_claim, a_member, an_organization


def found(session, scene, words, paths=None):
    wanted = scene.organizer.paths("organizer") if paths is None else paths
    return find_people(session, scene.shift_id, words, wanted)


def test_by_a_part_of_the_name_those_of_the_shift_stand_in_front(scene, writing):
    with writing() as session:
        other = a_member(session, "王桂兰")
        people = found(session, scene, "桂兰")
        assert [each.member_id for each in people] == [scene.volunteer.member_id, other]
        assert [each.claim for each in people] == ["claimed", None]
        assert {each.display_name for each in people} == {"王*兰"}


def test_by_number_and_by_the_last_digits_of_the_phone_which_is_never_shown(scene, writing):
    with writing() as session:
        phone = "13912345678"
        member_id = a_member(session, "赵铁柱", phone=phone)
        number = session.get_one(Member, member_id).volunteer_no
        for words in (number, number.lower(), phone[-4:], phone):
            assert [each.member_id for each in found(session, scene, words)] == [member_id]
        assert found(session, scene, phone[-3:]) == []
        assert phone not in repr(found(session, scene, phone))


@pytest.mark.parametrize("words", ["", "  ", "%", "_", "查无此人"])
def test_nothing_and_nobody(scene, writing, words):
    with writing() as session:
        assert found(session, scene, words) == []


def test_strangers_are_found_only_when_they_are_of_the_shift(scene, writing):
    with writing() as session:
        street = an_organization(session, "140303009", "street", None, "另一街道")
        far = a_branch(session, None, street)
        away = a_member(session, "欧阳远", far)
        assert found(session, scene, "欧阳远") == []
        a_claim(session, scene.shift_id, away)
        assert [each.member_id for each in found(session, scene, "欧阳远")] == [away]


def test_who_stands_where_is_told_by_the_last_coming(scene, writing):
    scene.check_in()
    with writing() as session:
        person = found(session, scene, "桂兰")[0]
        assert (person.came_at, person.is_present) == (STARTS, True)
    scene.check_out()
    with writing() as session:
        assert not found(session, scene, "桂兰")[0].is_present


def test_a_suspended_account_is_not_offered(scene, writing):
    with writing() as session:
        session.get_one(Member, scene.volunteer.member_id).state = "suspended"
        session.flush()
        assert found(session, scene, "桂兰") == []


def test_a_list_stays_short(scene, writing):
    with writing() as session:
        for _ in range(FOUND_MAX + 1):
            a_member(session, "刘同名")
        assert len(found(session, scene, "刘同名")) == FOUND_MAX
