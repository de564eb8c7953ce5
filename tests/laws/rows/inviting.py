"""Who may keep places, invite people, and answer."""

from datetime import timedelta

from sqlalchemy.orm import Session

from pointsbank.organizations.queries import organization_of
from pointsbank.tasks.groups import keep_places
from pointsbank.tasks.inviting import Wish, invite
from tests.builders import a_member, a_shift, with_role
from tests.laws.doors import MEMBERS, ORGANIZER, Row, door, fields, form
from tests.laws.world import COMMUNITY, MEMBER, OWN, PERSON, SHARED, Kind, Made, World
from tests.moments import NOON
from tests.tasks.inviting_scene import invitation_of

SECRETARY = ("secretary",)
IN_THREE_DAYS = NOON + timedelta(days=3)


def make_shift_ahead(
    session: Session, world: World, place: str, _actor: int, _made: Made
) -> int:
    """A shift of that side's community in three days, so that places can be kept."""
    community = world.ground(place).community_id
    return a_shift(session, starts_at=IN_THREE_DAYS, organization_id=community)


def make_branch_code(
    session: Session, world: World, place: str, _actor: int, _made: Made
) -> str:
    """The code of that side's branch."""
    return organization_of(session, world.ground(place).branch_id).code


def make_group(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """Two places that the branch of that side keeps."""
    ground = world.ground(place)
    branch = organization_of(session, ground.branch_id)
    secretary = with_role(
        session, a_member(session, "张书记", branch.id), "secretary", branch.id
    )
    return keep_places(
        session,
        shift_id=make_shift_ahead(session, world, place, actor, made),
        organization_code=branch.code,
        places=2,
        actor_id=secretary,
        paths=[branch.path],
        now=NOON,
    )


def make_invitation(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """An invitation of whoever acts; elsewhere it is another member's, on the same side."""
    shift_id = make_shift_ahead(session, world, OWN, actor, made)
    organizer = a_member(session, "周组织", world.own.branch_id)
    invitee = actor if place == OWN else a_member(session, "吴海燕", world.own.branch_id)
    invite(session, Wish(shift_id, [invitee], organizer, ["/"]), now=NOON)
    return invitation_of(session, invitee)


def make_invitee(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    """A person of that side's branch."""
    return a_member(session, "吴海燕", world.ground(place).branch_id)


SHIFT_AHEAD = Kind(COMMUNITY, make_shift_ahead)
ANY_SHIFT = Kind(SHARED, make_shift_ahead)
BRANCH = Kind(COMMUNITY, make_branch_code, "999999999999")
GROUP = Kind(COMMUNITY, make_group)
INVITATION = Kind(PERSON, make_invitation)
INVITEE = Kind(COMMUNITY, make_invitee)

ROWS: list[Row] = [
    door(
        "POST",
        "/api/v1/shifts/<id:shift_id>/groups",
        SECRETARY,
        fields(organization_code="CODE", places=2),
        shift_id=ANY_SHIFT,
        code=BRANCH,
    ),
    door("GET", "/api/v1/groups", SECRETARY),
    door("GET", "/api/v1/groups/<id:group_id>", SECRETARY, group_id=GROUP),
    door("POST", "/api/v1/groups/<id:group_id>/release", SECRETARY, group_id=GROUP),
    door(
        "POST",
        "/api/v1/groups/<id:group_id>/invitations",
        SECRETARY,
        fields(member_ids=["INVITEE_ID"]),
        group_id=GROUP,
        invitee_id=INVITEE,
    ),
    door(
        "POST",
        "/api/v1/shifts/<id:shift_id>/invitations",
        ORGANIZER,
        fields(member_ids=["MEMBER_ID"]),
        shift_id=SHIFT_AHEAD,
        member_id=MEMBER,
    ),
    door("GET", "/api/v1/shifts/<id:shift_id>/invitations", ORGANIZER, shift_id=SHIFT_AHEAD),
    door("GET", "/api/v1/me/invitations", MEMBERS),
    door(
        "POST",
        "/api/v1/invitations/<id:invitation_id>/acceptance",
        MEMBERS,
        invitation_id=INVITATION,
    ),
    door(
        "POST",
        "/api/v1/invitations/<id:invitation_id>/decline",
        MEMBERS,
        invitation_id=INVITATION,
    ),
    door("GET", "/my-invitations", MEMBERS),
    door(
        "POST",
        "/invitations/<id:invitation_id>/acceptance",
        MEMBERS,
        invitation_id=INVITATION,
    ),
    door(
        "POST",
        "/invitations/<id:invitation_id>/decline",
        MEMBERS,
        invitation_id=INVITATION,
    ),
    door("GET", "/shifts/<id:shift_id>/invitations", ORGANIZER, shift_id=SHIFT_AHEAD),
    door(
        "POST",
        "/shifts/<id:shift_id>/invitations",
        ORGANIZER,
        form(volunteer_no="V0"),
        shift_id=SHIFT_AHEAD,
        is_done=lambda answer: answer.status_code == 303,
    ),
    door("GET", "/groups", SECRETARY),
    door("GET", "/shifts/<id:shift_id>/group", SECRETARY, shift_id=ANY_SHIFT),
    door(
        "POST",
        "/shifts/<id:shift_id>/groups",
        SECRETARY,
        form(organization_code="CODE", places="2"),
        shift_id=ANY_SHIFT,
        code=BRANCH,
    ),
    door("GET", "/groups/<id:group_id>", SECRETARY, group_id=GROUP),
    door(
        "POST",
        "/groups/<id:group_id>/invitations",
        SECRETARY,
        form(member_id="INVITEE_ID"),
        group_id=GROUP,
        invitee_id=INVITEE,
    ),
    door("POST", "/groups/<id:group_id>/release", SECRETARY, group_id=GROUP),
]
