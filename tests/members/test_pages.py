"""Pages of people: signing in and out, preferences, codes, and looking after a branch."""

import html
import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from pointsbank.members.codes import number_of_digits
from pointsbank.members.models import Card, Member, RedemptionCode
from pointsbank.members.queries import standing_roles
from pointsbank.members.service import withdraw_role
from pointsbank.members.showing import use_redemption_code
from tests.builders import a_member, a_merchant, an_organization, how_many, with_role
from tests.moments import NOON

PHONE = "13800138000"
PASSWORD = "a quiet river bank"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')

# Each is some browser's idea of an address elsewhere: the corpus of Django's own test of
# its address check, after CVE-2014-3730, CVE-2015-2317, CVE-2016-2512 and CVE-2017-7233,
# and the other forms that were reported since.
ELSEWHERE = [
    "http://example.com",
    "http:///example.com",
    "https://example.com",
    "ftp://example.com",
    r"\\example.com",
    r"\\\example.com",
    r"/\\/example.com",
    r"\\\example.com",
    r"\\example.com",
    r"\\//example.com",
    r"/\/example.com",
    r"\/example.com",
    r"/\example.com",
    "http:///example.com",
    r"http:/\//example.com",
    r"http:\/example.com",
    r"http:/\example.com",
    "//example.com",
    "///example.com",
    "////example.com",
    "/ /example.com",
    "/\t/example.com",
    "/\n/example.com",
    "/\r\n/example.com",
    "/\x0b/example.com",
    "/\x7f/example.com",
    " //example.com",
    "\x08//example.com",
    "javascript:alert('XSS')",
    "javascript://%0aalert(1)",
    "data:text/html,<script>",
    "\njavascript:alert(x)",
    "java\nscript:alert(x)",
    r"http://otherserver\@example.com",
    r"http:\\testserver\@example.com",
    r"http://testserver\me:pass@example.com",
    r"http://testserver\@example.com",
    r"http:\\testserver\confirm\me@example.com",
    "http:999999999",
    "ftp:9999999999",
    "\n",
    "http://[2001:cdba:0000:0000:0000:0000:3257:9652/",
    "http://2001:cdba:0000:0000:0000:0000:3257:9652]/",
    "//[::1",
    "example.com",
    "@example.com",
    "?next=x",
    "/" + "a" * 600,
]
OUR_OWN = [
    "/",
    "/me",
    "/my-code",
    "/S/ABC?x=1",
    "/members?cursor=djE6Nw",
    "/a//b",
    "/view/?p=//x",
]


@pytest.fixture
def member_id(writing):
    with writing() as session:
        return a_member(session, phone=PHONE, password=PASSWORD)


def form_token(client, path="/sign-in"):
    found = TOKEN.search(client.get(path).text)
    assert found, path
    return found[1]


def sign_in(client, phone=PHONE, password=PASSWORD, **more):
    form = {"phone": phone, "password": password, "csrf_token": form_token(client), **more}
    return client.post("/sign-in", data=form)


def send(client, path, form=None, page="/me"):
    return client.post(path, data={"csrf_token": form_token(client, page), **(form or {})})


def test_signing_in_gives_a_new_session_and_goes_on(client, member_id, writing):
    answer = sign_in(client, next="/my-code")
    assert (answer.status_code, answer.location) == (302, "/my-code")
    cookie = client.get_cookie("pointsbank")
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    assert client.get("/my-code").status_code == 200
    assert client.get("/sign-in?next=/me").location == "/me"


def test_cookies_are_secure_in_production(another_app, member_id):
    app = another_app(environment="production", argon2_cheap=False)
    client = app.test_client()
    address = {"base_url": "https://jf.example.cn"}
    token = TOKEN.search(client.get("/sign-in", **address).text)[1]
    answer = client.post(
        "/sign-in",
        data={"phone": PHONE, "password": PASSWORD, "csrf_token": token},
        headers={"Referer": "https://jf.example.cn/sign-in"},
        **address,
    )
    assert answer.status_code == 302
    cookies = answer.headers.getlist("Set-Cookie")
    session_cookie = next(each for each in cookies if each.startswith("__Host-pointsbank="))
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in session_cookie
    assert all("Secure" in each for each in cookies)


@pytest.mark.parametrize(("phone", "password"), [(PHONE, "wrong"), ("13900139000", PASSWORD)])
def test_wrong_words_are_refused_on_the_page(client, member_id, phone, password):
    answer = sign_in(client, phone, password)
    assert answer.status_code == 401
    assert "手机号或密码不对" in answer.text
    assert f'value="{phone}"' in answer.text
    assert password not in answer.text
    assert client.get_cookie("pointsbank") is None


def test_the_sixth_try_is_told_to_wait(client, member_id):
    for _ in range(5):
        assert sign_in(client, password="wrong").status_code == 401
    answer = sign_in(client)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 800
    assert "请等 15 分钟" in answer.text


@pytest.mark.engine("sqlite")
def test_forms_lead_to_our_own_pages_and_nowhere_else(client, member_id, subtests):
    for wanted in (*ELSEWHERE, *OUR_OWN):
        with subtests.test(wanted=wanted):
            led_to = wanted if wanted in OUR_OWN else "/"
            client.delete_cookie("pointsbank")
            assert sign_in(client, next=wanted).location == led_to
            asked = client.get("/sign-in", query_string={"next": wanted})
            assert asked.location == led_to
            for path in ("/display", "/language"):
                assert send(client, path, {"next": wanted}).location == led_to


def test_a_session_of_before_is_not_taken_over(client, member_id):
    """Session fixation: what the browser held before signing in is worth nothing afterwards."""
    client.set_cookie("pointsbank", "a token that somebody else chose")
    with client.session_transaction() as browser:
        browser["planted"] = "x"
    before = form_token(client)
    sign_in(client)
    assert client.get_cookie("pointsbank").value != "a token that somebody else chose"
    with client.session_transaction() as browser:
        assert "planted" not in browser
    answer = client.post("/language", data={"csrf_token": before, "locale": "en"})
    assert answer.status_code == 400


def test_signing_in_again_ends_the_session_of_before(client, member_id, writing):
    sign_in(client)
    first = client.get_cookie("pointsbank").value
    form = {"phone": PHONE, "password": PASSWORD, "csrf_token": form_token(client, "/me")}
    assert client.post("/sign-in", data=form).status_code == 302
    assert client.get_cookie("pointsbank").value != first
    client.set_cookie("pointsbank", first)
    assert client.get("/me").status_code == 302


def test_a_scanned_code_survives_signing_in_and_nothing_else_does(client, member_id):
    ticket = {"task": "河道清洁", "direction": "in", "until": NOON + timedelta(minutes=5)}
    with client.session_transaction() as browser:
        browser["scan_ticket"] = ticket
    page = client.get("/sign-in").text
    assert "您扫的码已记下" in page
    assert "河道清洁" in page
    sign_in(client)
    with client.session_transaction() as browser:
        assert browser["scan_ticket"]["task"] == "河道清洁"


def test_a_copied_cookie_is_dead_after_signing_out(app, client, member_id):
    sign_in(client)
    copied = client.get_cookie("pointsbank").value
    thief = app.test_client()
    thief.set_cookie("pointsbank", copied)
    assert thief.get("/me").status_code == 200
    assert send(client, "/sign-out").location == "/sign-in"
    assert client.get_cookie("pointsbank") is None
    assert thief.get("/me").location.startswith("/sign-in")


def test_losing_a_role_signs_out_at_once(client, member_id, writing):
    with writing() as session:
        with_role(session, member_id, "secretary")
        role_id = standing_roles(session, member_id)[0].id
    sign_in(client)
    assert client.get("/members").status_code == 200
    with writing() as session:
        withdraw_role(
            session, member_id=member_id, role_id=role_id, withdrawn_by_id=None, now=NOON
        )
    assert client.get("/members").location == "/sign-in?next=/members"


@pytest.mark.parametrize(
    "path",
    ["/sign-in", "/sign-out", "/display", "/language", "/my-code/redeem", "/me/password"],
)
def test_a_form_without_its_token_is_refused(client, member_id, path, writing):
    sign_in(client)
    answer = client.post(path, data={"phone": PHONE, "password": PASSWORD, "mode": "elder"})
    assert answer.status_code == 400
    with writing() as session:
        assert how_many(session, RedemptionCode) == 0
        assert session.scalar(select(Member.display_mode)) == ""
    assert client.get("/me").status_code == 200


def test_the_display_is_kept_in_the_browser_and_with_the_person(client, member_id, writing):
    send(client, "/display", {"mode": "elder"}, "/sign-in")
    assert 'data-mode="elder"' in client.get("/sign-in").text
    sign_in(client)
    send(client, "/display", {"mode": "elder-xl"})
    with writing() as session:
        assert session.scalar(select(Member.display_mode)) == "elder-xl"
    client.delete_cookie("pointsbank_display")
    assert 'data-size="xl"' in client.get("/me").text
    send(client, "/display", {"mode": ""})
    assert "data-mode" not in client.get("/me").text
    send(client, "/display", {"mode": "gigantic"})
    with writing() as session:
        assert session.scalar(select(Member.display_mode)) == ""


def test_the_language_is_chinese_until_one_chooses(client, member_id, writing):
    assert 'lang="zh-Hans"' in client.get("/sign-in").text
    send(client, "/language", {"locale": "en"}, "/sign-in")
    assert "Sign in with your phone number" in client.get("/sign-in").text
    sign_in(client)
    send(client, "/language", {"locale": "zh"})
    with writing() as session:
        assert session.scalar(select(Member.locale)) == "zh"
    send(client, "/language", {"locale": "fr"})
    assert "我的" in client.get("/me").text


def test_a_preference_follows_the_person_to_another_browser(app, client, member_id):
    sign_in(client)
    send(client, "/display", {"mode": "elder"})
    elsewhere = app.test_client()
    sign_in(elsewhere)
    assert elsewhere.get_cookie("pointsbank_display").value == "elder"


def test_looking_at_a_redemption_code_draws_none(client, member_id, writing):
    sign_in(client)
    assert client.get("/my-code").status_code == 200
    assert "马上换新码" in client.get("/my-code/redeem").text
    with writing() as session:
        assert how_many(session, RedemptionCode) == 0


def test_a_redemption_code_can_be_had_without_script(client, member_id, settings, writing):
    sign_in(client)
    page = send(client, "/my-code/redeem", page="/my-code/redeem").text
    shown = re.search(r"data-digits[^>]*><span>([\d ]+)</span><span>([\d ]+)</span>", page)
    digits = (shown[1] + shown[2]).replace(" ", "")
    assert number_of_digits(digits)
    assert '<svg class="qr"' in page
    with writing() as session:
        drawn_at = session.scalar(select(RedemptionCode.drawn_at))
        owner = use_redemption_code(
            session, text=digits, secret=settings.secret_key, now=drawn_at
        )
    assert owner == member_id


def test_my_page_shows_my_own_name_and_a_masked_phone(client, member_id):
    sign_in(client)
    page = client.get("/me").text
    assert "王桂兰" in page
    assert "138****8000" in page
    assert PHONE not in page


def test_a_new_password_is_set_on_the_page(app, client, member_id):
    sign_in(client)
    other = app.test_client()
    sign_in(other)
    words = {"old_password": "wrong", "new_password": "another river bank"}
    assert "原密码不对" in send(client, "/me/password", words).text
    weak = {"old_password": PASSWORD, "new_password": "12345678"}
    assert send(client, "/me/password", weak).status_code == 422
    good = {"old_password": PASSWORD, "new_password": "another river bank"}
    assert send(client, "/me/password", good).location == "/me"
    assert "新密码已设好" in client.get("/me").text
    assert other.get("/me").status_code == 302


class Staff:
    """A signed-in administrator or secretary of one branch, and its people."""

    def __init__(self, client, writing, role):
        self.client = client
        with writing() as session:
            self.mine = an_organization(session, "mine", "branch", name="第一支部")
            other = an_organization(session, "other", "branch", name="第二支部")
            me = a_member(session, "陈书记", self.mine, PASSWORD, phone=PHONE)
            with_role(session, me, role, self.mine)
            self.member = a_member(session, "<b>王桂兰</b>", self.mine, phone="13800138001")
            self.foreign = a_member(session, "李小强", other, phone="13800138002")
            self.shop = a_merchant(session, organization_id=self.mine)
        sign_in(client)


@pytest.fixture
def administrator(client, writing):
    return Staff(client, writing, "administrator")


@pytest.fixture
def secretary(client, writing):
    return Staff(client, writing, "secretary")


def test_the_list_shows_ones_own_people_with_markup_as_text(client, secretary):
    page = client.get("/members").text
    assert "&lt;b&gt;王桂兰&lt;/b&gt;" in page
    assert "<b>王桂兰" not in page
    assert "李小强" not in page


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ({"phone": "13800138001"}, True),
        ({"phone": "13800138002"}, False),
        ({"phone": "7"}, False),
        ({"name": "桂兰"}, True),
        ({"name": "小强"}, False),
    ],
)
def test_people_are_looked_for_by_a_form(client, secretary, words, is_found):
    page = send(client, "/members", words, "/members").text
    assert (f"/members/{secretary.member}" in page) == is_found
    assert f"/members/{secretary.foreign}" not in page


def test_a_person_is_looked_after(client, administrator, writing):
    path = f"/members/{administrator.member}"
    assert "13800138001" not in client.get(path).text
    send(client, f"{path}/roles", {"role": "organizer", "organization_code": "mine"}, path)
    assert "角色已授予" in client.get(path).text
    clerk = {"role": "clerk", "merchant_id": str(administrator.shop)}
    send(client, f"{path}/roles", clerk, path)
    send(client, f"{path}/roles", {"role": "auditor", "organization_code": "other"}, path)
    with writing() as session:
        roles = standing_roles(session, administrator.member)
    assert [role.role for role in roles] == ["organizer", "clerk"]
    send(client, f"{path}/roles/{roles[0].id}/withdrawal", page=path)
    with writing() as session:
        assert len(standing_roles(session, administrator.member)) == 1
    send(client, f"{path}/suspension", page=path)
    assert "这个账号已停用" in client.get(path).text
    send(client, f"{path}/activation", page=path)
    assert "账号已恢复" in client.get(path).text


@pytest.mark.parametrize(
    "form",
    [
        {"role": "emperor", "organization_code": "mine"},
        *({"role": "clerk", "merchant_id": each} for each in ("9" * 40, "x")),
        {"role": "organizer", "organization_code": ""},
        {"role": "secretary", "organization_code": "nowhere"},
        {},
    ],
)
def test_a_role_that_cannot_be_is_refused_in_words(client, administrator, writing, form):
    path = f"/members/{administrator.member}"
    page = send(client, f"{path}/roles", form, path)
    assert page.status_code in (400, 404)
    assert 'class="note' in page.text
    assert form.get("organization_code", "") in page.text
    with writing() as session:
        assert standing_roles(session, administrator.member) == []


def test_a_card_is_shown_once_to_be_printed(client, administrator, writing):
    path = f"/members/{administrator.member}"
    refused = send(client, f"{path}/cards", {"pin": "12"}, path)
    assert refused.location == path
    page = send(client, f"{path}/cards", {"pin": "246810"}, path).text
    assert '<svg class="qr"' in page
    assert "246810" not in page
    with writing() as session:
        card_id = session.scalars(select(Card.id)).one()
    send(client, f"{path}/cards/{card_id}/revocation", page=path)
    with writing() as session:
        assert session.scalars(select(Card.revoked_at)).one() is not None


@pytest.mark.parametrize("suffix", ["", "/roles", "/suspension", "/cards", "/activation"])
def test_a_foreign_person_has_no_page(client, administrator, suffix):
    for member_id in (administrator.foreign, 10**9):
        path = f"/members/{member_id}{suffix}"
        answer = send(client, path, {"role": "auditor"}, "/me") if suffix else client.get(path)
        assert answer.status_code == 404


def test_a_secretary_sees_a_person_and_changes_nothing(client, secretary, writing):
    path = f"/members/{secretary.member}"
    page = client.get(path).text
    assert 'value="organizer"' not in page
    assert "停用这个账号" not in page
    assert send(client, f"{path}/suspension", page="/me").status_code == 403


def upload(client, path, content, **fields):
    """Send a file as a browser does."""
    form = {"csrf_token": form_token(client, path), **fields}
    values = {**form, "file": FileStorage(io.BytesIO(content.encode()), "people.csv")}
    boundary, body = encode_multipart(values)
    kind = f"multipart/form-data; boundary={boundary}"
    return client.post(path, data=body, content_type=kind)


def test_people_are_imported_on_a_page(client, secretary, writing):
    rows = "姓名,手机号,所属组织编码,类别\n<i>甲</i>,13700137000,mine,志愿者\n"
    with writing() as session:
        before = how_many(session, Member)
    checked = upload(client, "/members/import", rows, dry_run="1").text
    assert "没有问题" in checked
    with writing() as session:
        assert how_many(session, Member) == before
    bad = upload(client, "/members/import", rows + "乙,13700137009,other,志愿者\n").text
    assert "没有这个编码的组织" in bad
    assert "13700137" not in bad
    assert upload(client, "/members/import", rows).status_code == 200
    with writing() as session:
        assert how_many(session, Member) == before + 1
    assert upload(client, "/members/import", "").status_code == 422


def test_an_import_larger_than_other_forms_passes_with_its_token(client, secretary, writing):
    rows = "".join(f"V{n},{'长' * 50},,mine,居民\n" for n in range(9000))
    content = "志愿者编号,姓名,手机号,所属组织编码,类别\n" + rows
    assert len(content.encode()) > 1_400_000
    assert upload(client, "/members/import", content).status_code == 200
    with writing() as session:
        assert how_many(session, Member) > 9000
    assert client.post("/members/import", data=b"x" * 17_000_000).status_code == 413


def test_the_tree_and_the_merchants_have_their_pages(client, administrator, writing):
    assert "第一支部" in client.get("/organizations").text
    page = client.get("/organizations?code=mine").text
    assert "第一支部" in page
    assert client.get("/organizations?code=other").status_code == 404
    rows = "编码,名称,类型,上级编码\nn,<i>新</i>,党小组,mine\n"
    assert upload(client, "/organizations/import", rows).status_code == 200
    below = client.get("/organizations?code=mine").text
    assert "&lt;i&gt;新&lt;/i&gt;" in below
    form = {"name": "惠民店", "organization_code": "mine", "kind": "shop"}
    for changes in ({"name": ""}, {"kind": "bank"}, {"organization_code": "other"}):
        answer = send(client, "/merchants/new", {**form, **changes}, "/merchants/new")
        assert answer.status_code == 422
    assert send(client, "/merchants/new", form, "/merchants/new").location == "/merchants"
    assert html.unescape(client.get("/merchants").text).count("惠民店") == 1
