"""Who may make, try and publish standards: only who administers everything."""

import io
from datetime import timedelta

from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.rankings.trying import run_trial
from pointsbank.scoring.contents import digest_of, judged
from pointsbank.scoring.files import shipped, written
from pointsbank.scoring.standards import content_of, newest_published
from tests.builders import COMMUNITY_CODE, a_member, with_role
from tests.laws.doors import Row, asking, door, fields, form
from tests.laws.world import ANY_ORGANIZATION, SHARED, Kind, Made, World
from tests.moments import NOON
from tests.scoring.keepers import TODAY, a_draft

WHOLE = ("first administrator",)
STANDARDS = "/api/v1/scoring/standards"
ONE = f"{STANDARDS}/<id:standard_id>"
PAGE = "/standards/<id:standard_id>"
PLACE = "ORGANIZATION_CODE"
TABLE = f"{PAGE}/tables/<table_name>"


def keeper(session: Session) -> Actor:
    """Somebody else who administers everything."""
    member_id = with_role(session, a_member(session, "邹卫东"), "administrator")
    return Actor(member_id, "", 0, 0, (Grant("administrator", "/"),))


def make_draft(session: Session, _world: World, _place: str, _actor: int, made: Made) -> int:
    """A draft that somebody else wrote."""
    draft_id = a_draft(session, keeper(session))
    content = content_of(session, draft_id)
    made["digest"], made["content"] = digest_of(content), content
    newest = newest_published(session)
    made["day"] = max(TODAY, newest.valid_from + timedelta(days=1)).isoformat()
    return draft_id


def make_trial(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A trial of such a draft."""
    return run_trial(
        session,
        standard_id=make_draft(session, world, place, actor, made),
        period_name="2026-Q3",
        organization_code=COMMUNITY_CODE,
        actor=keeper(session),
        today=TODAY,
        now=NOON,
    )


def make_item(_session: Session, _world: World, _place: str, _actor: int, _made: Made) -> str:
    """An item that every draft has."""
    return "night_patrol"


def make_table(_session: Session, _world: World, _place: str, _actor: int, _made: Made) -> str:
    """The table that every draft has."""
    return "default"


ITEM, THE_TABLE = Kind(SHARED, make_item, "no_such"), Kind(SHARED, make_table, "no_such")
ITEM_FORM = {
    "code": "night_patrol",
    "name": "Night patrol",
    "name_zh": "夜间平安巡逻",
    "category": "post_service",
    "unit": "shift",
    "evidence": "scan",
    "points": 15,
    "evaluation_hundredths": 1,
    "unit_minutes": 30,
    "share_min_percent": 60,
    "day_minutes_max": 480,
    "coefficient_percent_max": 100,
    "digest": "DIGEST",
}
TABLE_FORM = {
    "base_mode": "earn",
    "cap_study": 60,
    "side_study": "base",
    "cap_recognition": 40,
    "grade_excellent": 90,
    "grade_qualified": 75,
    "grade_basic": 60,
    "digest": "DIGEST",
}
DRAFT, TRIAL = Kind(SHARED, make_draft), Kind(SHARED, make_trial)


def a_file(_made: Made) -> dict[str, object]:
    """Send a standard as a file."""
    data = written(judged(shipped("default"))[0])
    return {"data": {"file": (io.BytesIO(data), "standard.yaml")}}


ROWS: list[Row] = [
    door("GET", STANDARDS, WHOLE),
    door("POST", STANDARDS, WHOLE, fields(source="default")),
    door("POST", f"{STANDARDS}/import", WHOLE, a_file),
    door("GET", ONE, WHOLE, standard_id=DRAFT),
    door("PUT", ONE, WHOLE, fields(content="CONTENT", digest="DIGEST"), standard_id=DRAFT),
    door("DELETE", ONE, WHOLE, standard_id=DRAFT),
    door(
        "POST",
        f"{ONE}/publication",
        WHOLE,
        fields(valid_from="DAY", digest="DIGEST"),
        standard_id=DRAFT,
    ),
    door("POST", f"{ONE}/file", WHOLE, standard_id=DRAFT),
    door("GET", f"{ONE}/trials", WHOLE, standard_id=DRAFT),
    door("GET", "/api/v1/scoring/trials/<id:trial_id>", WHOLE, trial_id=TRIAL),
    door("GET", "/standards", WHOLE, asking()),
    door("POST", "/standards/drafts", WHOLE, form(source="default")),
    door("GET", PAGE, WHOLE, standard_id=DRAFT),
    door("GET", f"{PAGE}/items/new", WHOLE, standard_id=DRAFT),
    door("POST", f"{PAGE}/file", WHOLE, standard_id=DRAFT),
    door("POST", f"{PAGE}/discarding", WHOLE, form(), standard_id=DRAFT),
    door(
        "POST",
        f"{PAGE}/publication",
        WHOLE,
        form(valid_from="DAY", digest="DIGEST"),
        standard_id=DRAFT,
    ),
    door(
        "POST",
        f"{PAGE}/heading",
        WHOLE,
        form(name="新标准", rounding="floor", digest="DIGEST"),
        standard_id=DRAFT,
    ),
    door("GET", f"{PAGE}/trials", WHOLE, standard_id=DRAFT),
    door("GET", "/standards/trials/<id:trial_id>", WHOLE, trial_id=TRIAL),
    door(
        "POST",
        f"{ONE}/trials",
        WHOLE,
        fields(period="2026-Q3", organization_code=PLACE),
        standard_id=DRAFT,
        organization_code=ANY_ORGANIZATION,
    ),
    door(
        "POST",
        f"{PAGE}/trials",
        WHOLE,
        form(period="2026-Q3", organization_code=PLACE),
        standard_id=DRAFT,
        organization_code=ANY_ORGANIZATION,
        is_foreign=lambda answer: answer.status_code in (404, 422),
    ),
    door("POST", "/standards/file", WHOLE, a_file),
    door(
        "POST",
        f"{PAGE}/items/new",
        WHOLE,
        form(**{**ITEM_FORM, "code": "new_work"}),
        standard_id=DRAFT,
    ),
    door("GET", f"{PAGE}/items/<code>", WHOLE, standard_id=DRAFT, code=ITEM),
    door(
        "POST", f"{PAGE}/items/<code>", WHOLE, form(**ITEM_FORM), standard_id=DRAFT, code=ITEM
    ),
    door(
        "POST",
        f"{PAGE}/items/<code>/removal",
        WHOLE,
        form(digest="DIGEST"),
        standard_id=DRAFT,
        code=ITEM,
    ),
    door("GET", TABLE, WHOLE, standard_id=DRAFT, table_name=THE_TABLE),
    door("POST", TABLE, WHOLE, form(**TABLE_FORM), standard_id=DRAFT, table_name=THE_TABLE),
]
