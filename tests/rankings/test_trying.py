"""A draft run over a past period: who would have moved and why, by hand and by the entries."""

import io
from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import func, inspect, select

from pointsbank.core.audit import AuditEntry
from pointsbank.core.calendar import read_period
from pointsbank.core.db import db
from pointsbank.organizations.errors import OrganizationNotFound
from pointsbank.rankings import trying
from pointsbank.rankings.errors import TrialInFuture, TrialTooLarge
from pointsbank.rankings.remeasuring import Kept, remeasured
from pointsbank.rankings.sources import evaluation_of
from pointsbank.rankings.trials import trial_file, trials_of
from pointsbank.rankings.trying import items_of, run_trial
from pointsbank.scoring.contents import digest_of, judged
from pointsbank.scoring.errors import NotADraftStandard, StandardsForWhole
from pointsbank.scoring.files import shipped
from pointsbank.scoring.queries import standard_on
from pointsbank.scoring.service import negate_entry
from pointsbank.scoring.standards import content_of, tried_at
from tests.browsing import Browser, words_of
from tests.builders import COMMUNITY_CODE, a_member, a_score_entry, an_organization, with_role
from tests.moments import NOON
from tests.scoring.keepers import TODAY, a_draft, some_keepers

PERIOD = "2026-Q4"
DAY = date(2026, 11, 3)


def entry(**more):
    kept = {
        "member_id": 1,
        "cause": "award:1",
        "item_code": "volunteer_hour",
        "item_hundredths": 50,
        "category": "volunteer_service",
        "earned_on": DAY,
        "hundredths": 100,
        "points": 20,
        "service_minutes": 120,
    }
    return Kept(**{**kept, **more})


def items(**changes):
    content = judged(shipped("default"))[0]
    for item in content["items"]:
        item |= changes.get(item["code"], {})
    return items_of(content)


@pytest.mark.parametrize(
    ("kept", "changes", "worth"),
    [
        ({}, {}, (20, 100)),
        ({}, {"points": 12, "evaluation_hundredths": 75}, (24, 150)),
        ({"service_minutes": 150}, {"unit_minutes": 60}, (20, 100)),
        ({"service_minutes": -120, "points": -20, "hundredths": -100}, {}, (-20, -100)),
        ({}, {"unit": "shift", "points": 7, "evaluation_hundredths": 9}, (7, 9)),
        # What is entered late gives no points by any standard, and its times are in no entry.
        ({"cause": "late_entry:1", "points": 0}, {"points": 12}, (0, 100)),
        ({"cause": "lift:late_entry:1", "points": 0, "hundredths": -100}, {}, (0, -100)),
        (
            {"cause": "late_entry:1", "points": 0, "hundredths": 150, "service_minutes": 0},
            {"unit": "shift", "points": 7, "evaluation_hundredths": 100},
            (0, 300),
        ),
        # An item by the hour that counts no time leaves none in its entries.
        ({"service_minutes": 0}, {"evaluation_hundredths": 100}, (20, 200)),
        # Points by hand and points taken back stay what they are.
        ({"cause": "adjust:1", "hundredths": 0}, {"points": 12}, (20, 0)),
        ({"cause": "reversal:1", "hundredths": 0, "points": -5}, {"points": 12}, (-5, 0)),
    ],
)
def test_an_entry_is_measured_anew(kept, changes, worth):
    found = remeasured(entry(**kept), items(volunteer_hour=changes))
    assert (found.points, found.hundredths) == worth
    assert found.service_minutes == kept.get("service_minutes", 120)


@pytest.mark.parametrize(
    ("hundredths", "item_hundredths", "new", "worth"),
    [(400, 500, 1000, 800), (-400, 500, 1000, -800), (333, 500, 250, 166), (-700, 0, 0, -700)],
)
def test_what_was_decided_keeps_its_share(hundredths, item_hundredths, new, worth):
    code, category = ("democratic_appraisal", "duty")
    if not item_hundredths:
        code, category = ("deduction", "deduction")
    kept = entry(
        item_code=code,
        category=category,
        item_hundredths=item_hundredths,
        hundredths=hundredths,
        points=0,
        service_minutes=0,
    )
    found = remeasured(kept, items(**{code: {"evaluation_hundredths": new}}))
    assert (found.hundredths, found.points) == (worth, 0)


def test_an_item_that_the_draft_lacks_gives_nothing():
    assert remeasured(entry(item_code="gone"), items()) is None


def people(session):
    """Two who do hours and one who goes to meetings."""
    place = an_organization(session)
    ids = [a_member(session, name, place) for name in ("王桂兰", "张志明", "李国强")]
    for member_id, minutes in zip(ids, (240, 120), strict=False):
        a_score_entry(
            session,
            member_id,
            evaluation_hundredths=50 * minutes // 60,
            points=10 * minutes // 60,
            service_minutes=minutes,
            earned_on=DAY,
        )
    a_score_entry(
        session,
        ids[2],
        item="theme_day",
        evaluation_hundredths=300,
        points=0,
        service_minutes=0,
        earned_on=DAY,
    )
    return ids


def dearer(session, keepers, **changes):
    content = content_of(session, standard_on(session, TODAY).id)
    for item in content["items"]:
        item |= changes.get(item["code"], {})
    content["items"] = [
        each for each in content["items"] if each["code"] not in changes.get("without", ())
    ]
    return a_draft(session, keepers.one, content)


def tried(session, draft_id, actor, **more):
    wanted = {"period_name": PERIOD, "organization_code": COMMUNITY_CODE, **more}
    return run_trial(
        session, standard_id=draft_id, actor=actor, today=TODAY, now=NOON, **wanted
    )


def test_a_draft_that_says_the_same_moves_nobody(session):
    keepers = some_keepers(session)
    people(session)
    draft_id = a_draft(session, keepers.one)
    found = trial_file(session, keepers.one, tried(session, draft_id, keepers.one))
    assert (found.summary["members"], found.summary["moved"], found.summary["lines"]) == (
        3,
        0,
        [],
    )


def test_who_would_have_moved_and_why(session):
    keepers = some_keepers(session)
    wang, zhang, li = people(session)
    draft_id = dearer(session, keepers, volunteer_hour={"evaluation_hundredths": 100})
    before = {
        member_id: evaluation_of(
            session, member_id=member_id, period=read_period(PERIOD), today=TODAY
        ).evaluation_hundredths
        for member_id in (wang, zhang, li)
    }
    assert before == {wang: 800, zhang: 400, li: 1200}
    found = trial_file(session, keepers.other, tried(session, draft_id, keepers.one))
    counts = found.summary
    assert (counts["up"], counts["down"], counts["members"]) == (2, 0, 3)
    assert (counts["rank_changes"], counts["grade_changes"]) == (2, 0)
    first, second, third = counts["lines"]
    assert first["member_id"] == wang
    assert (first["old"]["score"], first["new"]["score"]) == (800, 1600)
    assert (first["old"]["rank"], first["new"]["rank"]) == (2, 1)
    assert first["parts"] == [{"category": "volunteer_service", "old": 800, "new": 1600}]
    assert (second["member_id"], second["old"]["rank"], second["new"]["rank"]) == (zhang, 3, 3)
    assert (third["member_id"], third["parts"]) == (li, [])
    assert found.names[wang] == "王*兰"


def test_grades_change_with_the_tables(session):
    keepers = some_keepers(session)
    wang, *_ = people(session)
    content = content_of(session, standard_on(session, TODAY).id)
    content["evaluation_tables"]["default"]["grades"] = {
        "excellent": 800,
        "qualified": 700,
        "basic": 600,
    }
    draft_id = a_draft(session, keepers.one, content)
    found = trial_file(session, keepers.one, tried(session, draft_id, keepers.one))
    grades = {each["member_id"]: each["new"]["grade"] for each in found.summary["lines"]}
    assert grades[wang] == "excellent"
    assert found.summary["grade_changes"] == 2


def test_an_item_that_is_gone_is_counted_and_said(session):
    keepers = some_keepers(session)
    *_, li = people(session)
    draft_id = dearer(session, keepers, without=("theme_day",))
    found = trial_file(session, keepers.one, tried(session, draft_id, keepers.one))
    assert found.summary["not_counted"] == 1
    line = next(each for each in found.summary["lines"] if each["member_id"] == li)
    assert (line["new"]["score"], line["new"]["rank"]) == (0, 3)
    assert line["parts"] == [{"category": "organization_life", "old": 1200, "new": 0}]


def test_what_was_taken_back_is_taken_back_anew(session):
    keepers = some_keepers(session)
    wang, *_ = people(session)
    cause = session.execute(
        select(trying.ScoreEntry.cause).where(trying.ScoreEntry.member_id == wang)
    ).scalar_one()
    negate_entry(session, cause="reject:1", of_cause=cause, now=NOON)
    draft_id = dearer(session, keepers, volunteer_hour={"evaluation_hundredths": 100})
    found = trial_file(session, keepers.one, tried(session, draft_id, keepers.one))
    assert wang not in {
        each["member_id"]
        for each in found.summary["lines"]
        if each["old"]["score"] != each["new"]["score"]
    }


def rows_of(session):
    names = inspect(session.connection()).get_table_names()
    tables = [db.metadata.tables[name] for name in names if name in db.metadata.tables]
    return {
        each.name: session.scalar(select(func.count()).select_from(each)) for each in tables
    }


def test_a_trial_writes_its_own_row_and_the_trail_only(session):
    keepers = some_keepers(session)
    people(session)
    draft_id = dearer(session, keepers, volunteer_hour={"evaluation_hundredths": 100})
    before = rows_of(session)
    tried(session, draft_id, keepers.one)
    after = rows_of(session)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"standard_trial", AuditEntry.__tablename__}


def test_a_change_after_the_trial_is_told_apart(session):
    keepers = some_keepers(session)
    people(session)
    draft_id = a_draft(session, keepers.one)
    digest = digest_of(content_of(session, draft_id))
    assert tried_at(session, draft_id, digest) is None
    tried(session, draft_id, keepers.one)
    assert tried_at(session, draft_id, digest) == NOON
    assert tried_at(session, draft_id, "0" * 64) is None
    assert len(trials_of(session, keepers.one, draft_id)) == 1


def test_what_a_trial_refuses(session, monkeypatch):
    keepers = some_keepers(session)
    people(session)
    draft_id = a_draft(session, keepers.one)
    with pytest.raises(NotADraftStandard):
        tried(session, standard_on(session, TODAY).id, keepers.one)
    with pytest.raises(TrialInFuture):
        tried(session, draft_id, keepers.one, period_name="2027")
    with pytest.raises(OrganizationNotFound):
        tried(session, draft_id, keepers.one, organization_code="nowhere")
    monkeypatch.setattr(trying, "MEMBERS_MAX", 2)
    with pytest.raises(TrialTooLarge):
        tried(session, draft_id, keepers.one)
    an_organization(session, code="999999999999", name="别处")
    below = type(keepers.one)(1, "", 0, 0, ())
    with pytest.raises(StandardsForWhole):
        tried(session, draft_id, below)
    with pytest.raises(StandardsForWhole):
        trials_of(session, below, draft_id)


# What a browser sends of the lists that the form offers.
CHOSEN = {
    "category": "volunteer_service",
    "unit": "hour",
    "evidence": "scan",
    "counts_minutes": "1",
}


@pytest.fixture
def keepers_browsers(app, writing):
    """Two administrators of everything at their screens, before the day that is typed there."""
    with time_machine.travel(NOON, tick=False):
        with writing() as session:
            people(session)
            ids = [
                with_role(session, a_member(session, each), "administrator") for each in "甲乙"
            ]
        yield [Browser(app, member_id) for member_id in ids]


def a_changed_draft(one):
    """Begin a draft of the version in force and change an item; return its path."""
    page = one.open("/standards")
    draft = one.send(one.form(page, "/standards/drafts"), source="in_force")
    assert "草案已建立" in words_of(draft)
    path = draft.request.path
    item = one.open(f"{path}/items/volunteer_hour")
    wrong = one.send(one.form(item, "/items/volunteer_hour"), points="-5", **CHOSEN)
    assert wrong.status_code == 422
    assert "每单位积分：这里须填 0 到 1000 之间的整数" in words_of(wrong)
    again = one.form(wrong, "/items/volunteer_hour")
    assert again.fields["points"] == "-5"
    assert again.fields["evaluation_hundredths"] == "0.5"
    finer = one.send(again, points="12", evaluation_hundredths="0.125", **CHOSEN)
    assert "每单位评价分：这里须填 0 到 100 之间的分数，最多两位小数" in words_of(finer)
    again = one.form(finer, "/items/volunteer_hour")
    assert again.fields["evaluation_hundredths"] == "0.125"
    changed = {"points": "１２", "evaluation_hundredths": "１.5", "points_day_max": "60"}
    saved = one.send(again, **changed, **CHOSEN)
    kept = one.form(one.open(f"{path}/items/volunteer_hour"), "/items/volunteer_hour")
    assert kept.fields["evaluation_hundredths"] == "1.5"
    nameless = one.send(one.form(saved, "/heading"), name="")
    assert nameless.status_code == 422
    assert "标准名称：这里须填 1 到 120 个字" in words_of(nameless)
    for words in ("草案已修改", "每天最多 60 分", "还没有试算过", "须由第二人发布"):
        assert words in words_of(saved)
    return path


def test_the_table_of_a_draft_is_typed_in_points_and_not_in_hundredths(keepers_browsers):
    one, _other = keepers_browsers
    path = a_changed_draft(one)
    form = one.form(one.open(f"{path}/tables/default"), "/tables/default")
    assert (form.fields["grade_excellent"], form.fields["grade_basic"]) == ("90", "60")
    wrong = one.send(form, grade_excellent="90.005", grade_basic="100.01")
    assert wrong.status_code == 422
    for grade in ("优秀", "基本合格"):
        assert f"{grade}：这里须填 0 到 100 之间的分数，最多两位小数" in words_of(wrong)
    again = one.form(wrong, "/tables/default")
    assert again.fields["grade_excellent"] == "90.005"
    one.send(again, grade_excellent="89.25", grade_basic="60")
    kept = one.form(one.open(f"{path}/tables/default"), "/tables/default")
    assert (kept.fields["grade_excellent"], kept.fields["grade_basic"]) == ("89.25", "60")


def test_a_draft_is_changed_tried_and_published_from_its_pages(keepers_browsers, writing):
    one, other = keepers_browsers
    path = a_changed_draft(one)
    trials = one.open(f"{path}/trials")
    found = one.send(
        one.form(trials, "/trials"), period=PERIOD, organization_code=COMMUNITY_CODE
    )
    assert "王*兰" in words_of(found)
    assert "王桂兰" not in found.text
    shown = other.open(path)
    assert "已按现在的内容试算" in words_of(shown)
    late = other.send(other.form(shown, "/publication"), valid_from="2026-11-20")
    assert "施行日期只能在" in words_of(late)
    done = other.send(other.form(late, "/publication"), valid_from="2026-12-01")
    assert "第 2 版自 2026-12-01 起施行" in words_of(done)
    with writing() as session:
        after = standard_on(session, TODAY + timedelta(days=30)).item("volunteer_hour")
        assert (after.points, after.points_day_max, after.counts_minutes) == (12, 60, True)


def test_a_hostile_file_changes_nothing_and_names_its_line(keepers_browsers):
    one, _ = keepers_browsers
    form = one.form(one.open("/standards"), "/standards/file")
    bomb = (io.BytesIO(b"name: x\nitems: &a [*a]\n"), "s.yaml")
    data = {**form.fields, "file": bomb}
    answer = one.client.post("/standards/file", data=data)
    assert answer.status_code == 422
    assert "第 2 行用了引用" in words_of(answer)
    assert "目前没有草案" in words_of(one.open("/standards"))


def test_without_the_forms_token_nothing_is_done(keepers_browsers):
    one, _ = keepers_browsers
    answer = one.client.post("/standards/drafts", data={"source": "default"})
    assert answer.status_code == 400
    assert "目前没有草案" in words_of(one.open("/standards"))


def test_a_standard_goes_out_and_comes_in_as_the_same(keepers_browsers, writing):
    one, _ = keepers_browsers
    path = a_changed_draft(one)
    page = one.open(path)
    file = one.client.post(f"{path}/file", data=one.form(page, "/file").fields)
    assert file.headers["Content-Disposition"].startswith("attachment")
    form = one.form(one.open("/standards"), "/standards/file")
    upload = {**form.fields, "file": (io.BytesIO(file.data), "s.yaml")}
    back = one.client.post("/standards/file", data=upload)
    ids = [int(each.rsplit("/", 1)[1]) for each in (path, back.headers["Location"])]
    with writing() as session:
        assert content_of(session, ids[0]) == content_of(session, ids[1])
        actions = session.scalars(select(AuditEntry.action)).all()
    assert "standard_exported" in actions
