"""Pictures of rewards: decoded within bounds, and kept only as we encode them."""

import hashlib
import io
from dataclasses import dataclass
from datetime import datetime

from PIL import Image
from sqlalchemy import bindparam, delete, select, text
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.core.images import NotDecodable, TooManyPixels, decoded
from pointsbank.rewards.errors import NotAPicture, PictureTooLarge
from pointsbank.rewards.models import PICTURE_BYTES_MAX, RewardPicture
from pointsbank.rewards.service import reward_to_change

# As large as a telephone's camera sends it.
UPLOAD_BYTES_MAX = 10_000_000
# What the largest telephones make.
JPEG_PIXELS_MAX = 50_000_000
MEGAPIXEL = 1_000_000
LARGE_EDGE, SMALL_EDGE = 960, 240
QUALITIES = (80, 65, 50, 35)

KEEP = text(
    """
    INSERT INTO reward_picture (reward_id, digest, width, height, content, small,
                                uploaded_by_id, uploaded_at)
    VALUES (:reward_id, :digest, :width, :height, :content, :small, :actor_id, :now)
    ON CONFLICT (reward_id) DO UPDATE
        SET digest = excluded.digest, width = excluded.width, height = excluded.height,
            content = excluded.content, small = excluded.small,
            uploaded_by_id = excluded.uploaded_by_id, uploaded_at = excluded.uploaded_at
    """
).bindparams(bindparam("now", type_=Moment()))


@dataclass(frozen=True)
class Picture:
    """A picture as we keep it: WebP, nothing in it but what is seen."""

    content: bytes
    small: bytes
    width: int
    height: int

    @property
    def digest(self) -> bytes:
        """What names it in its address."""
        return hashlib.sha256(self.content + self.small).digest()


def encoded(upload: bytes) -> Picture:
    """Return an uploaded JPEG, PNG or WebP as we keep it; place and camera are left out.

    It takes time and no database: a door does it before its transaction.
    Raises NotAPicture, PictureTooLarge.
    """
    try:
        image = decoded(upload, side=2 * LARGE_EDGE, jpeg_pixels_max=JPEG_PIXELS_MAX)
    except NotDecodable as broken:
        raise NotAPicture from broken
    except TooManyPixels as many:
        raise PictureTooLarge(megapixels=many.most // MEGAPIXEL) from many
    large = _within(image, LARGE_EDGE)
    small = _within(large, SMALL_EDGE)
    return Picture(_webp(large), _webp(small), large.width, large.height)


def _within(image: Image.Image, edge: int) -> Image.Image:
    smaller = image.copy()
    smaller.thumbnail((edge, edge))
    return smaller


def _webp(image: Image.Image) -> bytes:
    """Return a picture in the best quality that fits; noise of this size fits in the last."""
    content = b""
    for quality in QUALITIES:
        written = io.BytesIO()
        image.save(written, "WEBP", quality=quality, method=4)
        content = written.getvalue()
        if len(content) <= PICTURE_BYTES_MAX:
            break
    else:
        raise PictureTooLarge(megapixels=JPEG_PIXELS_MAX // MEGAPIXEL)
    return content


def keep_picture(
    session: Session, *, actor: Actor, reward_id: int, picture: Picture, now: datetime
) -> None:
    """Give a reward its picture, in place of the one before; the same again changes nothing.

    Raises RewardNotFound.
    """
    reward = reward_to_change(session, actor, reward_id)
    if reward.picture_digest == picture.digest:
        return
    values = {
        "reward_id": reward_id,
        "digest": picture.digest,
        "width": picture.width,
        "height": picture.height,
        "content": picture.content,
        "small": picture.small,
        "actor_id": actor.member_id,
        "now": now,
    }
    session.execute(KEEP, values)
    _note(session, actor, "picture_reward", reward_id, now)


def remove_picture(session: Session, *, actor: Actor, reward_id: int, now: datetime) -> None:
    """Take a reward's picture away; a repeat changes nothing.

    Raises RewardNotFound.
    """
    reward = reward_to_change(session, actor, reward_id)
    if reward.picture_digest is None:
        return
    session.execute(delete(RewardPicture).where(RewardPicture.reward_id == reward_id))
    _note(session, actor, "unpicture_reward", reward_id, now)


def picture_bytes(
    session: Session, reward_id: int, digest: bytes, *, is_small: bool
) -> bytes | None:
    """Return a picture by its address; None for one that is not there, or not any more."""
    column = RewardPicture.small if is_small else RewardPicture.content
    return session.scalar(
        select(column).where(
            RewardPicture.reward_id == reward_id, RewardPicture.digest == digest
        )
    )


def _note(session: Session, actor: Actor, action: str, reward_id: int, now: datetime) -> None:
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=action,
        subject=("reward", reward_id),
    )
