"""Many people at one shift, each by a phone and at a second of their own."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from tests.attendance.scene import ENDS, STARTS, Scene, actor_of
from tests.builders import a_claim, a_member, an_organization, with_role

SECONDS_APART = 7


def many_come(
    scene: Scene, writing, number: int, *, stay_until: datetime | None = None
) -> list[int]:
    """Let so many new members claim and check in; they leave one by one when it is said."""
    with writing() as session:
        actors = [actor_of(session, a_member(session)) for _ in range(number)]
        for actor in actors:
            a_claim(session, scene.shift_id, actor.member_id)
    for place, actor in enumerate(actors, 1):
        at = STARTS + timedelta(seconds=SECONDS_APART * place)
        scene.scan(actor, scene.venue(at), at, device_id=f"phone-{actor.member_id}")
    if stay_until is not None:
        for place, actor in enumerate(actors, 1):
            at = stay_until + timedelta(seconds=SECONDS_APART * place)
            out = scene.venue(at, "out")
            scene.scan(actor, out, at, device_id=f"phone-{actor.member_id}")
    return [actor.member_id for actor in actors]


def a_reviewer(session: Session, name: str = "何书记", role: str = "secretary") -> Actor:
    """Return somebody who oversees the test's community in this role."""
    community = an_organization(session)
    member_id = with_role(session, a_member(session, name), role)
    member = session.get_one(Member, member_id)
    path = session.get_one(Organization, community).path
    return Actor(member_id, member.name, community, 0, (Grant(role, path),))


AFTER = ENDS + timedelta(minutes=30)
