"""What a public notice of posts refuses."""

from pointsbank.core.errors import Conflict


class NotAPost(Conflict):
    """Only posts are announced before somebody takes them (上岗公示)."""

    code = "not_a_post"
    message = "Only a published task of the kind “post” is announced by a public notice."


class NobodyTakesIt(Conflict):
    """A notice of posts names somebody."""

    code = "nobody_takes_it"
    message = "Nobody has claimed this post yet, so there is nothing to announce."
