"""Skills, trainings and dates of birth over HTTP: programs, one's own page, the branch's."""

import pytest
import time_machine

from pointsbank.core.audit import AuditEntry
from pointsbank.members.abilities_queries import born_on_of, completions_of
from tests.browsing import Browser, words_of
from tests.builders import a_member, signed_in, with_role
from tests.members.schooling import (
    School,
    a_completion,
    a_training,
    completed_days,
    confirmed,
    confirmed_codes,
    told,
    told_codes,
)
from tests.moments import NOON

OWN = "/me/abilities"


@pytest.fixture(autouse=True)
def noon():
    """The doors read the clock."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def school(writing):
    with writing() as session:
        return School(session)


@pytest.fixture
def asks(app, client):
    """Ask as a member: status, then JSON."""

    def send(member_id, method, path, body=None):
        answer = client.open(
            f"/api/v1{path}", method=method, json=body, headers=signed_in(app, member_id)
        )
        return answer.status_code, answer.get_json(silent=True)

    return send


def test_a_program_tells_skills_and_the_branch_confirms(asks, school):
    status, skills = asks(school.member, "GET", "/skills")
    assert status == 200
    assert skills["items"][0] == {"code": "first_aid", "name": "First aid", "name_zh": "急救"}
    status, mine = asks(school.member, "PUT", "/me/skills", {"codes": ["first_aid", "law"]})
    assert status == 200
    assert [each["code"] for each in mine["skills"]] == ["first_aid", "law"]
    assert {each["confirmed_at"] for each in mine["skills"]} == {None}
    at = f"/members/{school.member}/skills/first_aid/confirmation"
    organizer = school.organizer.member_id
    assert [asks(organizer, "PUT", at)[0] for _ in range(2)] == [204, 204]
    _, mine = asks(school.member, "GET", "/me/abilities")
    confirmed_at = {each["code"]: each["confirmed_at"] for each in mine["skills"]}
    assert confirmed_at["law"] is None
    assert confirmed_at["first_aid"] is not None
    assert asks(organizer, "DELETE", at)[0] == 204
    _, mine = asks(school.member, "GET", "/me/abilities")
    assert {each["confirmed_at"] for each in mine["skills"]} == {None}


def test_a_date_of_birth_is_read_by_who_keeps_it_only(asks, school):
    path = f"/members/{school.member}"
    secretary, organizer = school.secretary.member_id, school.organizer.member_id
    body = {"born_on": "1953-04-05"}
    assert asks(school.member, "PUT", "/me/birth-day", body)[0] == 204
    assert asks(school.member, "PUT", "/me/birth-day", {"born_on": "1990-01-01"})[0] == 409
    assert asks(secretary, "PUT", f"{path}/birth-day", {"born_on": "1953-04-06"})[0] == 204
    assert asks(secretary, "GET", f"{path}/abilities")[1]["born_on"] == "1953-04-06"
    assert "born_on" not in asks(organizer, "GET", f"{path}/abilities")[1]
    assert asks(organizer, "PUT", f"{path}/birth-day", body)[0] == 403


def test_a_program_records_a_course_day_and_withdraws_a_mistake(asks, school):
    secretary = school.secretary.member_id
    body = {"code": "fire_2026", "name": "消防培训", "valid_months": 12}
    status, training = asks(secretary, "POST", "/trainings", body)
    assert (status, {**training, "id": 0}) == (201, {**body, "id": 0})
    path = f"/trainings/{training['id']}/completions"
    day = {"member_ids": [school.member, school.neighbour], "completed_on": "2026-11-14"}
    assert asks(secretary, "POST", path, day) == (201, {"recorded": 2})
    assert asks(secretary, "POST", path, day) == (201, {"recorded": 0})
    _, mine = asks(school.member, "GET", "/me/abilities")
    (entry,) = mine["trainings"]
    assert (entry["code"], entry["valid_until"], entry["is_valid"]) == (
        "fire_2026",
        "2027-11-14",
        True,
    )
    for _ in range(2):
        assert asks(secretary, "DELETE", f"/training-completions/{entry['id']}")[0] == 204
    assert asks(school.member, "GET", "/me/abilities")[1]["trainings"] == []
    assert asks(school.member, "GET", "/trainings")[1]["items"] == [training]


DAY = {"member_ids": [10**12], "completed_on": "2026-11-14"}
BAD = [
    ("PUT", "/me/skills", {}, 422, "bad_fields"),
    ("PUT", "/me/skills", {"codes": "law"}, 422, "bad_fields"),
    ("PUT", "/me/skills", {"codes": [""]}, 422, "bad_fields"),
    ("PUT", "/me/skills", {"codes": ["law"] * 101}, 422, "bad_fields"),
    ("PUT", "/me/skills", {"codes": ["flying"]}, 404, "skill_not_found"),
    ("PUT", "/me/skills", {"codes": [], "more": 1}, 422, "bad_fields"),
    ("PUT", "/me/birth-day", {"born_on": "yesterday"}, 422, "bad_fields"),
    ("PUT", "/me/birth-day", {"born_on": "2026-13-01"}, 422, "bad_fields"),
    ("PUT", "/me/birth-day", {"born_on": "2026-11-22"}, 400, "bad_birth_day"),
    ("PUT", "/me/birth-day", {"born_on": "1853-04-05"}, 400, "bad_birth_day"),
    ("POST", "/trainings", {"code": "Fire", "name": "消防"}, 400, "bad_training_code"),
    ("POST", "/trainings", {"code": "fire", "name": " "}, 422, "bad_fields"),
    ("POST", "/trainings", {"code": "fire", "name": "消" * 61}, 422, "bad_fields"),
    (
        "POST",
        "/trainings",
        {"code": "fire", "name": "消防", "valid_months": 0},
        422,
        "bad_fields",
    ),
    (
        "POST",
        "/trainings",
        {"code": "first_aid_course", "name": "急救"},
        409,
        "training_code_taken",
    ),
    ("POST", "/trainings/TRAINING/completions", {**DAY, "member_ids": []}, 422, "bad_fields"),
    (
        "POST",
        "/trainings/TRAINING/completions",
        {**DAY, "member_ids": list(range(1, 302))},
        422,
        "bad_fields",
    ),
    (
        "POST",
        "/trainings/TRAINING/completions",
        DAY,
        404,
        "member_not_found",
    ),
    (
        "POST",
        "/trainings/TRAINING/completions",
        {**DAY, "completed_on": "2026-11-22"},
        400,
        "bad_completed_on",
    ),
    ("POST", "/trainings/9000000/completions", DAY, 404, "training_not_found"),
    ("DELETE", "/training-completions/9000000", None, 404, "completion_not_found"),
    ("PUT", "/members/MEMBER/skills/law/confirmation", None, 409, "skill_not_told"),
    ("PUT", "/members/MEMBER/skills/flying/confirmation", None, 404, "skill_not_found"),
    ("PUT", "/members/SELF/skills/law/confirmation", None, 403, "own_ability"),
    ("PUT", "/members/SELF/birth-day", {"born_on": "1990-01-01"}, 403, "not_oneself"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), BAD)
def test_what_cannot_be_is_refused(writing, asks, school, method, path, body, status, code):
    with writing() as session:
        training_id = a_training(session)
    secretary = school.secretary.member_id
    for word, number in (
        ("TRAINING", training_id),
        ("MEMBER", school.member),
        ("SELF", secretary),
    ):
        path = path.replace(word, str(number))
    answer = asks(secretary, method, path, body)
    assert (answer[0], answer[1]["code"]) == (status, code)


def test_a_member_tells_what_they_can_do_on_their_page(app, writing, school):
    browser = Browser(app, school.member)
    assert OWN in browser.open("/me").text
    page = browser.open(OWN)
    assert "急救" in words_of(page)
    saved = browser.send(browser.form(page, "/skills"), skill="first_aid")
    assert "您的技能已保存" in words_of(saved)
    assert "未确认" in words_of(saved)
    with writing() as session:
        assert told_codes(session, school.member) == {"first_aid"}
        confirmed(session, school.member, "first_aid")
    assert "已确认" in words_of(browser.open(OWN))


def test_a_member_tells_their_birth_on_their_page_once(app, writing, school):
    browser = Browser(app, school.member)
    form = browser.form(browser.open(OWN), "/birth-day")
    again = browser.send(form, born_on="2053-04-05")
    assert again.status_code == 400
    assert "出生日期不对" in words_of(again)
    assert browser.send(form, born_on="soon").status_code == 400
    assert "您的出生日期已保存" in words_of(browser.send(form, born_on="1953-04-05"))
    late = browser.send(form, born_on="1954-04-05")
    assert late.status_code == 409
    assert "请找支部更正" in words_of(late)
    with writing() as session:
        assert str(born_on_of(session, school.member)) == "1953-04-05"


def test_the_branch_confirms_from_what_waits(app, writing, school):
    with writing() as session:
        told(session, school.member, "first_aid")
        told(session, school.stranger, "law")
    browser = Browser(app, school.organizer.member_id)
    waiting = browser.open("/abilities")
    assert "王*兰" in words_of(waiting)
    assert "王桂兰" not in waiting.text
    assert "赵*柱" not in waiting.text
    person = f"/members/{school.member}"
    assert f"{person}#abilities" in waiting.text
    page = browser.send(browser.form(browser.open(person), "/first_aid/confirmation"))
    assert "技能已确认" in words_of(page)
    with writing() as session:
        assert confirmed_codes(session, school.member) == {"first_aid"}
    assert "没有待确认的技能" in words_of(browser.open("/abilities"))
    browser.send(browser.form(browser.open(person), "/first_aid/doubt"))
    with writing() as session:
        assert confirmed_codes(session, school.member) == set()


def test_a_training_is_renamed_on_its_page_and_by_programs(app, writing, school, client):
    with writing() as session:
        training_id = a_training(session)
    browser = Browser(app, school.secretary.member_id)
    path = f"/trainings/{training_id}"
    form = browser.form(browser.open(path), "/name")
    assert "培训已改名" in words_of(browser.send(form, name="消防与急救"))
    assert "消防与急救" in words_of(browser.open(path))
    assert "请填写培训名称" in words_of(browser.send(form, name=" "))
    with app.app_context():
        headers = signed_in(app, school.secretary.member_id)
        organizer = signed_in(app, school.organizer.member_id)
    address = f"/api/v1{path}"
    for _ in range(2):
        answer = client.patch(address, headers=headers, json={"name": "急救培训（新）"})
        assert (answer.status_code, answer.json["name"]) == (200, "急救培训（新）")
    assert client.patch(address, headers=organizer, json={"name": "x"}).status_code == 403
    gone = client.patch("/api/v1/trainings/999", headers=headers, json={"name": "x"})
    assert gone.status_code == 404
    with writing() as session:
        assert session.query(AuditEntry).filter_by(action="rename_training").count() == 2


def inbox_of(app, member_id, language="zh-CN"):
    with app.app_context():
        headers = signed_in(app, member_id)
    answer = app.test_client().get(
        "/api/v1/me/messages", headers={**headers, "Accept-Language": language}
    )
    return [(each["kind"], each["sentence"]) for each in answer.get_json()["items"]]


def test_the_person_hears_what_became_of_a_told_skill(app, writing, school):
    with writing() as session:
        told(session, school.member, "first_aid", "law")
    browser = Browser(app, school.organizer.member_id)
    person = f"/members/{school.member}"
    form = browser.form(browser.open(person), "/first_aid/confirmation")
    for _ in range(2):
        browser.send(form)
    refused = browser.form(browser.open(person), "/law/refusal")
    assert "未获认可" in words_of(browser.send(refused))
    browser.send(refused)
    browser.send(browser.form(browser.open(person), "/first_aid/doubt"))
    with writing() as session:
        assert told_codes(session, school.member) == {"first_aid"}
        assert confirmed_codes(session, school.member) == set()
    heard = inbox_of(app, school.member)
    assert [kind for kind, _ in heard] == ["skill_doubted", "skill_refused", "skill_confirmed"]
    assert ["急救" in sentence for _, sentence in heard] == [True, False, True]
    assert "first aid" in inbox_of(app, school.member, "en")[-1][1].lower()


def test_a_confirmed_skill_is_not_struck_out(app, client, writing, school):
    with writing() as session:
        confirmed(session, school.member, "first_aid")
    with app.app_context():
        headers = signed_in(app, school.organizer.member_id)
    path = f"/api/v1/members/{school.member}/skills/first_aid"
    assert client.delete(path, headers=headers).status_code == 204
    with writing() as session:
        assert confirmed_codes(session, school.member) == {"first_aid"}
    assert inbox_of(app, school.member) == []


def test_an_organizer_sees_no_date_of_birth_and_records_no_training(app, writing, school):
    with writing() as session:
        a_completion(session, school.member, a_training(session))
    page = Browser(app, school.organizer.member_id).open(f"/members/{school.member}")
    assert "急救培训" in words_of(page)
    assert "出生日期" not in page.text
    assert "/trainings" not in page.text


def test_nobody_is_offered_to_confirm_their_own(app, writing, school):
    own = school.secretary.member_id
    with writing() as session:
        told(session, own, "first_aid")
        a_completion(session, own, a_training(session))
    page = Browser(app, own).open(f"/members/{own}")
    assert "急救" in words_of(page)
    for action in ("/confirmation", "/withdrawal", f"{own}/birth-day", f"{own}/trainings"):
        assert f'{action}"' not in page.text


def test_the_branch_enters_and_withdraws_a_training_of_one_person(app, writing, school):
    with writing() as session:
        training_id = a_training(session)
    browser = Browser(app, school.secretary.member_id)
    person = browser.open(f"/members/{school.member}")
    form = browser.form(person, f"{school.member}/trainings")
    page = browser.send(form, training_id=training_id, completed_on="2026-11-22")
    assert "完成日期应是今天或以前" in words_of(page)
    page = browser.send(form, training_id=training_id, completed_on="2026-11-14")
    assert "培训已登记" in words_of(page)
    with writing() as session:
        (entry,) = completions_of(session, school.member)
        foreign = a_completion(session, school.neighbour, training_id)
    withdrawal = browser.form(page, f"/{entry.id}/withdrawal")
    assert "已撤回" in words_of(browser.send(withdrawal))
    withdrawal.action = withdrawal.action.replace(f"/{entry.id}/", f"/{foreign}/")
    assert browser.send(withdrawal).status_code == 404
    with writing() as session:
        assert completed_days(session, school.member) == []
        assert len(completed_days(session, school.neighbour)) == 1


def test_the_branch_sets_a_date_of_birth(app, writing, school):
    browser = Browser(app, school.secretary.member_id)
    form = browser.form(browser.open(f"/members/{school.member}"), "/birth-day")
    assert "出生日期不对" in words_of(browser.send(form, born_on="1853-04-05"))
    assert "出生日期已保存" in words_of(browser.send(form, born_on="1953-04-05"))
    with writing() as session:
        assert str(born_on_of(session, school.member)) == "1953-04-05"


def test_a_course_day_is_taken_in_from_its_list(app, writing, school):
    browser = Browser(app, school.secretary.member_id)
    form = browser.form(browser.open("/abilities"), "/trainings")
    empty = browser.send(form, name=" ", code="fire", valid_months="often")
    assert empty.status_code == 422
    assert "请填写培训名称" in words_of(empty)
    assert "之间的月数" in words_of(empty)
    assert browser.send(form, name="消防培训", code="消防").status_code == 400
    page = browser.send(form, name="消防培训", code="ＦＩＲＥ", valid_months="12")
    assert "培训已添加" in words_of(page)
    assert browser.send(form, name="消防培训", code="fire").status_code == 409
    day = browser.form(page, "/completions")
    wrong = browser.send(day, numbers="20000001 20000003，7", completed_on="2026-11-14")
    assert wrong.status_code == 400
    assert "这些会员号查不到人：20000003、7" in words_of(wrong)
    assert "20000001 20000003" in wrong.text
    assert browser.send(day, numbers="", completed_on="2026-11-14").status_code == 400
    assert browser.send(day, numbers="20000001", completed_on="").status_code == 400
    many = " ".join(str(30000000 + number) for number in range(301))
    assert "最多登记 300 人" in words_of(browser.send(day, numbers=many))
    numbers = "２００００００１\r\n20000002、20000001"
    page = browser.send(day, numbers=numbers, completed_on="2026-11-14")
    assert "已登记 2 人" in words_of(page)
    assert {"王桂兰", "张建国"} <= set(words_of(page).split())
    assert "已登记 0 人" in words_of(
        browser.send(day, numbers=numbers, completed_on="2026-11-14")
    )


def test_who_completed_a_training_is_listed_page_by_page(app, writing, school):
    with writing() as session:
        training_id = a_training(session)
        for _ in range(51):
            a_completion(session, a_member(session, "孙立新", school.place), training_id)
    browser = Browser(app, school.secretary.member_id)
    first = browser.open(f"/trainings/{training_id}")
    assert first.text.count("孙立新") == 50
    (later,) = {word for word in first.text.split('"') if "?cursor=" in word}
    assert browser.open(later.replace("&amp;", "&")).text.count("孙立新") == 1


def test_a_list_shows_nobody_s_date_of_birth(app, writing, school):
    with writing() as session:
        reader = with_role(session, a_member(session, "管理员"), "administrator")
    secretary = Browser(app, school.secretary.member_id)
    form = secretary.form(secretary.open(f"/members/{school.member}"), "/birth-day")
    secretary.send(form, born_on="1953-04-05")
    for path in ("/members", "/abilities"):
        assert "1953" not in Browser(app, reader).open(path).text
