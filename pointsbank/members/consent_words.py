"""What people are asked to allow, in the wording whose version is kept."""

from flask_babel import lazy_gettext

PURPOSE_WORDS = {
    "publish_name": lazy_gettext("My name in full in public notices"),
}
# The wording of version 1; a change of it raises WORDING_VERSIONS in consenting.py.
PURPOSE_SENTENCES = {
    "publish_name": lazy_gettext(
        "Public notices may print my name in full. Without this they print 王*兰. A phone"
        " number or an identity number is never printed."
    ),
}
CHANNEL_WORDS = {
    "screen": lazy_gettext("given by yourself"),
    "paper": lazy_gettext("given on paper"),
}
