"""Where a page may send a person next: our own paths, whatever is tried."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsbank.web.paths import PATH_LENGTH_MAX, own_path

OURS = "https://points.example"

# Forms from the tests and advisories of Django's url_has_allowed_host_and_scheme
# (CVE-2013-4249, CVE-2014-0480, CVE-2014-3730, CVE-2015-2317, CVE-2016-2512, CVE-2017-7233,
# CVE-2017-7234).
FOREIGN = [
    "http://example.com",
    "http:///example.com",
    "https://example.com",
    "ftp://example.com",
    r"\\example.com",
    r"\\\example.com",
    r"/\\/example.com",
    r"\\//example.com",
    r"/\/example.com",
    r"\/example.com",
    r"/\example.com",
    "http:\\\\example.com",
    r"http:\/example.com",
    "http:/\\example.com",
    "http:///\\example.com",
    "http:\\//example.com",
    "//example.com",
    "///example.com",
    "////example.com",
    "javascript:alert(1)",
    'javascript:alert("XSS")',
    "\njavascript:alert(1)",
    "java\nscript:alert(1)",
    "\x08//example.com",
    "\x00//example.com",
    "http://otherserver\\@example.com",
    "http:999999999",
    "http:///example.com/ftp:/",
    "ftp:9999999999",
    "http://[2001:cdba:0000:0000:0000:0000:3257:9652/",
    "http://2001:cdba:0000:0000:0000:0000:3257:9652]/",
    "data:text/html,<script>alert(1)</script>",
    "mailto:test@example.com",
    "",
    "\n",
    "/\n/example.com",
    "/\t/example.com",
    "/\r/example.com",
    " //example.com",
    "/ok\r\nSet-Cookie: a=b",
    "/ok\x7f",
    "ok",
    "?next=/ok",
    "#ok",
    "@example.com",
    ".example.com",
    "/" * 3 + "example.com",
    "/" + "a" * PATH_LENGTH_MAX,
    None,
]
OWN = [
    "/",
    "/rewards",
    "/rewards?cursor=abc&limit=2",
    "/R/ABC",
    "/a//b",
    "/a?next=//example.com",
    "/a?next=https://example.com",
    "/a#b",
    "/路/径",
    "/%2f/example.com",
    "/:80",
    "/a@b",
]


@pytest.mark.parametrize("path", FOREIGN)
def test_a_foreign_address_leads_home(path):
    assert own_path(path) == "/"
    assert own_path(path, "/elsewhere") == "/elsewhere"


@pytest.mark.parametrize("path", OWN)
def test_one_of_our_paths_is_kept(path):
    assert own_path(path) == path


def as_a_browser_reads(path: str) -> str:
    """Return the address a browser goes to (WHATWG URL: backslash, TAB and line ends)."""
    for character in "\t\r\n":
        path = path.replace(character, "")
    path = path.strip("".join(map(chr, range(0x21))))
    return urljoin(OURS + "/here/", path.replace("\\", "/"))


@settings(max_examples=2000, deadline=None, database=None)
@given(
    st.text(
        st.sampled_from("/\\:@?#.%[]ahtps \t\r\n\x00\x08\x7f\u3000\uff0f\u2028"), max_size=24
    )
    | st.text(max_size=40)
    | st.builds(
        "/{}{}".format, st.sampled_from(["/", "\\", "\t", "%2f", ""]), st.text(max_size=9)
    )
)
def test_whatever_is_kept_stays_with_us(path):
    kept = own_path(path)
    assert kept in (path, "/")
    parts = urlsplit(as_a_browser_reads(kept))
    assert (parts.scheme, parts.netloc) == ("https", "points.example")


def test_the_reading_used_above_finds_a_foreign_host():
    """Control: without own_path some of these lead away."""
    away = [path for path in FOREIGN if path and _leads_away(path)]
    assert len(away) > 15


def _leads_away(path: str) -> bool:
    try:
        return urlsplit(as_a_browser_reads(path)).netloc != "points.example"
    except ValueError:
        return True
