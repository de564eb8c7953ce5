"""The pages of the jobs, as an administrator of everything reads them."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from pointsbank.app.job_words import JOB_WORDS, STATE_WORDS
from pointsbank.app.jobs_page import duration_words, took_words
from pointsbank.core import clock
from pointsbank.jobs.leasing import take_lease
from pointsbank.jobs.models import JobRequest, JobState
from pointsbank.jobs.occasions import Slot
from pointsbank.jobs.recording import Attempt, claim_slot, keep_as_done, keep_failure
from pointsbank.jobs.table import JOBS
from pointsbank.jobs.watching import STATES
from tests.browsing import Browser, words_of
from tests.builders import a_member, with_role

JOB = JOBS["expiry"]


@pytest.fixture
def browser(app, writing):
    with writing() as session:
        member_id = with_role(session, a_member(session, "孙丽华"), "administrator")
    return Browser(app, member_id)


def ran(session, key, started_at, count=3, holder="jobs-1:77:abcdef"):
    attempt = Attempt(
        JOB, Slot(key, key, started_at - timedelta(minutes=3)), holder, started_at
    )
    run_id = claim_slot(session, JOB, attempt.slot, started_at)
    keep_as_done(session, run_id, attempt, count, started_at + timedelta(seconds=5))


def failed(session, key, times):
    for n in range(times):
        now = clock.now() - timedelta(minutes=5 * (times - n))
        attempt = Attempt(JOB, Slot(key, key, now), "jobs-1:77:abcdef", now)
        keep_failure(session, attempt, ZeroDivisionError("never shown"), now)


def test_every_job_and_state_has_words():
    assert set(JOBS) <= set(JOB_WORDS)
    assert set(STATES) == set(STATE_WORDS)


def test_without_a_scheduler_that_is_said_first(browser, writing):
    assert "调度进程还没有运行过" in words_of(browser.open("/operations/jobs"))
    with writing() as session:
        take_lease(session, holder="a:1:b", now=clock.now() - timedelta(minutes=5))
    assert "没有调度进程在工作" in words_of(browser.open("/operations/jobs"))


def test_the_list_shows_each_job_and_those_in_trouble_first(browser, writing):
    with writing() as session:
        take_lease(session, holder="jobs-1:77:abcdef", now=clock.now())
        failed(session, JOB.due(clock.now(), clock.now().tzinfo)[0].key, 2)
    page = browser.open("/operations/jobs")
    words = words_of(page)
    assert "需要处理" in words
    assert all(str(word) in words for word in ("账本封存", "商户月度结算"))
    assert page.text.index("/operations/jobs/expiry") < page.text.index(
        "/operations/jobs/rankings"
    )


def test_a_job_shows_its_runs_and_failures(browser, writing):
    with writing() as session:
        failed(session, "2026-11-19", 2)
        ran(session, "2026-11-19", clock.now() - timedelta(hours=2))
        ran(session, "2026-11-20", clock.now() - timedelta(hours=1), count=1234)
    page = browser.open("/operations/jobs/expiry")
    words = words_of(page)
    for shown in ("1,234", "jobs-1:77", "3 分钟", "5 秒", "ZeroDivisionError", "已补做"):
        assert shown in words, shown
    assert "never shown" not in page.text
    assert "abcdef" not in page.text


def test_a_run_is_asked_for_once_and_its_asker_is_shown_masked(browser, writing):
    here = "/operations/jobs/expiry"
    form = browser.form(browser.open(here), f"{here}/runs")
    assert "一分钟内" in words_of(browser.send(form))
    assert "已经有人申请运行" in words_of(browser.send(form))
    assert "已申请运行" in words_of(browser.open(here))
    with writing() as session:
        request = session.scalar(select(JobRequest))
        assert request.job == "expiry"
        ran(session, f"asked/{request.id}", clock.now())
    words = words_of(browser.open(here))
    assert "孙*华" in words
    assert "孙丽华" not in words


def test_an_unknown_job_has_no_page(browser):
    assert browser.open("/operations/jobs/nonsense").status_code == 404


def test_the_dashboard_tells_administrators_of_jobs_in_trouble(browser, writing):
    assert "定时任务出了问题" not in words_of(browser.open("/dashboard"))
    with writing() as session:
        session.add(JobState(job="expiry", trouble="stuck", trouble_since=clock.now()))
    assert "1 个定时任务出了问题" in words_of(browser.open("/dashboard"))


def test_lengths_of_time_are_written_by_their_greatest_unit(app):
    with app.test_request_context():
        written = [duration_words(n) for n in (None, 0, 119, 120, 7199, 7200, 172800)]
        assert written == ["–", "0 秒", "119 秒", "2 分钟", "119 分钟", "2 小时", "2 天"]
        assert [took_words(n) for n in (None, 999, 1000)] == ["–", "999 毫秒", "1 秒"]
