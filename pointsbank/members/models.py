"""Tables of people, roles, sessions, codes and cards."""

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.actor import ROLES
from pointsbank.core.db import BigId, Model, one_of

MEMBER_KINDS = ("volunteer", "party_member", "probationary_member", "resident", "staff")
MEMBER_STATES = ("active", "suspended")
DISPLAY_MODES = ("", "elder", "elder-xl")
HANDLE_BYTES = 5
# Name in full in public notices; own row shown to others in rankings.
# What people are asked for, and nothing that is not used: rankings show nobody else's line.
CONSENT_PURPOSES = ("publish_name",)
DUAL_STATES = ("applied", "accepted", "active", "ended")
CHANGE_CAUSES = ("joined", "moved", "state", "veto", "exemption")


class Member(Model):
    """A person. handle is the random name that stands in a personal code instead of an id."""

    __tablename__ = "member"
    __table_args__ = (
        CheckConstraint(one_of("kind", MEMBER_KINDS), name="kind"),
        CheckConstraint(one_of("state", MEMBER_STATES), name="state"),
        CheckConstraint(one_of("display_mode", DISPLAY_MODES), name="display_mode"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    volunteer_no: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(60), index=True)
    phone: Mapped[str | None] = mapped_column(String(11), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(24))
    state: Mapped[str] = mapped_column(String(16), default="active")
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    grid_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    handle: Mapped[bytes] = mapped_column(LargeBinary(HANDLE_BYTES), unique=True)
    locale: Mapped[str | None] = mapped_column(String(8))
    display_mode: Mapped[str] = mapped_column(String(12), default="", server_default="")
    # Only for rules that ask for an age; None: not told.
    born_on: Mapped[date | None]
    joined_at: Mapped[datetime]


class Belonging(Model):
    """Where one person belonged, from a local day until another, which is exclusive.

    The newest row has no end and says what member.organization_id and grid_id say. A period is
    counted by where people belonged on its last day, however late it is rolled up.
    """

    __tablename__ = "belonging"
    __table_args__ = (
        CheckConstraint("until_on IS NULL OR until_on > from_on", name="span"),
        UniqueConstraint("member_id", "from_on"),
        Index(
            "uq_belonging_now",
            "member_id",
            unique=True,
            sqlite_where=text("until_on IS NULL"),
            postgresql_where=text("until_on IS NULL"),
        ),
        Index(None, "organization_id", "from_on"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    grid_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    from_on: Mapped[date]
    until_on: Mapped[date | None]


class MemberChange(Model):
    """Something other than an entry changed how a member is counted, from a local day on.

    Rows are only added: a move, joining, leaving, a veto, an exemption. The roll-up reads those
    with an id above the one it has seen, so that it need not compare all members each time.
    """

    __tablename__ = "member_change"
    __table_args__ = (CheckConstraint(one_of("cause", CHANGE_CAUSES), name="cause"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    cause: Mapped[str] = mapped_column(String(12))
    # The organization that a move left, whose members are fewer by it.
    left_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    from_on: Mapped[date]
    recorded_at: Mapped[datetime]


class Consent(Model):
    """What one person allowed, from a moment until they took it back (PIPL, Art. 15)."""

    __tablename__ = "consent"
    __table_args__ = (
        CheckConstraint(one_of("purpose", CONSENT_PURPOSES), name="purpose"),
        CheckConstraint(one_of("channel", ("screen", "paper")), name="channel"),
        Index(
            "uq_consent_standing",
            "member_id",
            "purpose",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    purpose: Mapped[str] = mapped_column(String(20))
    # Which wording was shown.
    version: Mapped[int]
    channel: Mapped[str] = mapped_column(String(8))
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class VolunteerCount(Model):
    """The one row that volunteer numbers are drawn from, so that two at once differ."""

    __tablename__ = "volunteer_count"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    drawn: Mapped[int]


class MemberRole(Model):
    """A role over an organization's subtree or at one merchant, until it is withdrawn."""

    __tablename__ = "member_role"
    __table_args__ = (
        CheckConstraint(one_of("role", ROLES), name="role"),
        CheckConstraint(
            "(role = 'clerk' AND merchant_id IS NOT NULL AND organization_id IS NULL)"
            " OR (role <> 'clerk' AND merchant_id IS NULL)",
            name="scope",
        ),
        # Only the first administrator, made from the command line, stands over everything.
        CheckConstraint(
            "organization_id IS NOT NULL OR merchant_id IS NOT NULL OR role = 'administrator'",
            name="everything",
        ),
        # A role stands once; the same grant twice at once meets here.
        Index(
            "uq_member_role_organization",
            "member_id",
            "role",
            "organization_id",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL AND organization_id IS NOT NULL"),
            postgresql_where=text("withdrawn_at IS NULL AND organization_id IS NOT NULL"),
        ),
        Index(
            "uq_member_role_merchant",
            "member_id",
            "merchant_id",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL AND merchant_id IS NOT NULL"),
            postgresql_where=text("withdrawn_at IS NULL AND merchant_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    role: Mapped[str] = mapped_column(String(16))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    merchant_id: Mapped[int | None] = mapped_column(ForeignKey("merchant.id"))
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    granted_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class SignInSession(Model):
    """A signed-in browser or program; only the hash of its token is kept."""

    __tablename__ = "sign_in_session"
    __table_args__ = (
        CheckConstraint(one_of("kind", ("browser", "program")), name="kind"),
        Index(None, "member_id", "ended_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    kind: Mapped[str] = mapped_column(String(8))
    started_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(String(24))


class SignInFailure(Model):
    """Wrong tries for one phone, known or unknown alike; phone_hash is keyed."""

    __tablename__ = "sign_in_failure"
    __table_args__ = (CheckConstraint("failures >= 0", name="failures"),)

    phone_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    failures: Mapped[int]
    locked_until: Mapped[datetime | None]


class RedemptionCode(Model):
    """A one-use code for a merchant's counter; only keyed hashes are kept."""

    __tablename__ = "redemption_code"
    __table_args__ = (
        CheckConstraint(one_of("state", ("fresh", "used", "replaced")), name="state"),
        # A new code makes the one before it die; two can never be alive.
        Index(
            "uq_redemption_code_fresh",
            "member_id",
            unique=True,
            sqlite_where=text("state = 'fresh'"),
            postgresql_where=text("state = 'fresh'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    number_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    state: Mapped[str] = mapped_column(String(8), default="fresh")
    drawn_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Card(Model):
    """A paper card for a person without a phone; a lost one is revoked and a new one issued."""

    __tablename__ = "card"
    __table_args__ = (CheckConstraint("failed_pins >= 0", name="failed_pins"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    number_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    pin_hash: Mapped[str | None] = mapped_column(String(200))
    failed_pins: Mapped[int] = mapped_column(default=0, server_default="0")
    locked_until: Mapped[datetime | None]
    issued_at: Mapped[datetime]
    issued_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    revoked_at: Mapped[datetime | None]


class Household(Model):
    """A registered household: the people among whom points may be given."""

    __tablename__ = "household"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    registered_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    registered_at: Mapped[datetime]


class HouseholdMember(Model):
    """One person of a household; nobody belongs to two."""

    __tablename__ = "household_member"

    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"), index=True)
    added_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    added_at: Mapped[datetime]


class Skill(Model):
    """Something people can do and tasks ask for; the list is the same for everyone."""

    __tablename__ = "skill"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(24), unique=True)
    name: Mapped[str] = mapped_column(String(40))
    name_zh: Mapped[str] = mapped_column(String(40))


class MemberSkill(Model):
    """A skill that a person says they have; confirmed by somebody else who saw the proof."""

    __tablename__ = "member_skill"
    __table_args__ = (
        CheckConstraint(
            "(confirmed_by_id IS NULL) = (confirmed_at IS NULL)", name="confirmation"
        ),
        CheckConstraint(
            "confirmed_by_id IS NULL OR confirmed_by_id <> member_id", name="second_person"
        ),
    )

    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    skill_id: Mapped[int] = mapped_column(ForeignKey("skill.id"), primary_key=True, index=True)
    told_at: Mapped[datetime]
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    confirmed_at: Mapped[datetime | None]


class Training(Model):
    """A course that tasks may ask for; valid_months: None when it does not run out."""

    __tablename__ = "training"
    __table_args__ = (CheckConstraint("valid_months > 0", name="valid_months"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(24), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    valid_months: Mapped[int | None]


class MemberTraining(Model):
    """A course that a person completed; withdrawn when it was recorded by mistake."""

    __tablename__ = "member_training"
    __table_args__ = (
        CheckConstraint("recorded_by_id <> member_id", name="second_person"),
        CheckConstraint("valid_until >= completed_on", name="span"),
        Index(
            "uq_member_training_standing",
            "member_id",
            "training_id",
            "completed_on",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    training_id: Mapped[int] = mapped_column(ForeignKey("training.id"))
    completed_on: Mapped[date]
    valid_until: Mapped[date | None]
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    recorded_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class BranchInvitation(Model):
    """A code with which people register themselves into an organization; only its keyed hash
    is kept."""

    __tablename__ = "branch_invitation"
    __table_args__ = (
        CheckConstraint(one_of("kind", MEMBER_KINDS), name="kind"),
        CheckConstraint("0 <= uses AND uses <= uses_max", name="uses"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    # What those who come by it are registered as.
    kind: Mapped[str] = mapped_column(String(24))
    made_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    uses_max: Mapped[int]
    uses: Mapped[int] = mapped_column(default=0, server_default="0")
    withdrawn_at: Mapped[datetime | None]


class ActivationCode(Model):
    """A code with which somebody without a password chooses their first; only its keyed hash is
    kept. A new one takes the place of the one before."""

    __tablename__ = "activation_code"

    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    made_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class InvitationGuess(Model):
    """Invitation codes that were not good, counted by how they begin and by where they came
    from; key_hash is keyed, so neither can be read back."""

    __tablename__ = "invitation_guess"
    __table_args__ = (CheckConstraint("guesses >= 0", name="guesses"), Index(None, "since"))

    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    guesses: Mapped[int]
    # When the quarter of an hour began that they are counted in.
    since: Mapped[datetime]


class DualRegistration(Model):
    """A party member of a work unit who registers with the community of their home (双报到).

    accepted: by the community. active: the work unit says that the person is one of theirs.
    from_on: the first day that counts; until_on: the first that no longer does.
    named_at: when the person agreed that the unit reads their hours under their name.
    """

    __tablename__ = "dual_registration"
    __table_args__ = (
        CheckConstraint(one_of("state", DUAL_STATES), name="state"),
        CheckConstraint("(accepted_by_id IS NULL) = (from_on IS NULL)", name="accepted"),
        CheckConstraint("state <> 'applied' OR from_on IS NULL", name="applied"),
        CheckConstraint(
            "state NOT IN ('accepted', 'active') OR from_on IS NOT NULL", name="standing"
        ),
        CheckConstraint("state <> 'active' OR confirmed_by_id IS NOT NULL", name="confirmed"),
        CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name="ended"),
        CheckConstraint("until_on IS NULL OR until_on >= from_on", name="span"),
        CheckConstraint(
            "(accepted_by_id IS NULL OR accepted_by_id <> member_id)"
            " AND (confirmed_by_id IS NULL OR confirmed_by_id <> member_id)",
            name="second_person",
        ),
        CheckConstraint("(named_at IS NULL) = (named_channel IS NULL)", name="named"),
        CheckConstraint(one_of("named_channel", ("screen", "paper")), name="named_channel"),
        # One home and one unit at a time; the same application twice at once meets here.
        Index(
            "uq_dual_registration_alive",
            "member_id",
            unique=True,
            sqlite_where=text("state <> 'ended'"),
            postgresql_where=text("state <> 'ended'"),
        ),
        Index(None, "community_id", "state"),
        Index(None, "work_unit_id", "state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    work_unit_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    community_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    state: Mapped[str] = mapped_column(String(8), default="applied")
    entered_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    entered_at: Mapped[datetime]
    accepted_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    accepted_at: Mapped[datetime | None]
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    confirmed_at: Mapped[datetime | None]
    from_on: Mapped[date | None]
    until_on: Mapped[date | None]
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str] = mapped_column(String(200), default="")
    named_at: Mapped[datetime | None]
    named_channel: Mapped[str | None] = mapped_column(String(8))


class DualComment(Model):
    """What the community writes of one person's quarter for the sheet to the work unit."""

    __tablename__ = "dual_comment"

    registration_id: Mapped[int] = mapped_column(
        ForeignKey("dual_registration.id"), primary_key=True
    )
    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    comment: Mapped[str] = mapped_column(String(200))
    written_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    written_at: Mapped[datetime]
