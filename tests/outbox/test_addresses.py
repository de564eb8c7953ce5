"""Which addresses a webhook may have: a list of those that have opened other services."""

import pytest

from pointsbank.outbox.addresses import Reach, is_public, reach_of, resolve_host
from pointsbank.outbox.errors import AddressNotFound, AddressNotPublic, BadAddress

PUBLIC = "93.184.215.14"
PRODUCTION = reach_of(is_production=True)


def answering(*addresses):
    """Return the reach of production where every name has these addresses."""
    return Reach(PRODUCTION.ports, lambda _host, _port: addresses)


def judged(url, reach):
    """Take an address apart and judge where it leads, as adding a webhook does."""
    place = reach.place_of(url)
    return reach.addresses_of(place)


NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.0.23",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:93.184.215.14",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2002:5db8:d70e::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ffff::1",
    "no address",
    "",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused(address):
    assert not is_public(address)
    with pytest.raises(AddressNotPublic):
        judged("https://points.example/hook", answering(address))


@pytest.mark.parametrize(
    "address",
    [
        PUBLIC,
        "1.1.1.1",
        "223.5.5.5",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
    ]
    + ["2606:4700:4700::1111", "2400:3200::1", "2a00:1450:4009::1"],
)
def test_a_public_address_is_called(address):
    assert is_public(address)
    assert judged("https://points.example/hook", answering(address)) == [address]


def test_one_address_that_is_not_public_among_several_is_enough():
    for addresses in ((PUBLIC, "10.0.0.1"), ("10.0.0.1", PUBLIC), (PUBLIC, "::1", PUBLIC)):
        with pytest.raises(AddressNotPublic):
            judged("https://points.example/hook", answering(*addresses))


BAD = [
    "",
    "points.example/hook",
    "//points.example/hook",
    "http://points.example/hook",
    "ftp://points.example/hook",
    "file:///etc/passwd",
    "gopher://points.example:443/_",
    "HTTPS://points.example/",
    "https:/points.example/",
    "https:points.example",
    "https://",
    "https:///hook",
    "https://user@points.example/",
    "https://user:password@points.example/",
    "https://points.example@127.0.0.1/",
    "https://127.0.0.1#@points.example/",
    "https://points.example#@127.0.0.1/",
    "https://points.example/#part",
    "https://points.example\\@127.0.0.1/",
    "https://127.0.0.1\\.points.example/",
    "https://points.example:0/",
    "https://points.example:22/",
    "https://points.example:80/",
    "https://points.example:5432/",
    "https://points.example:65536/",
    "https://points.example:99999999999/",
    "https://points.example:443:443/",
    "https://points.example:４４３/",
    "https://points.example:+443/",
    "https://points.example: 443/",
    "https://points.example./",
    "https://points.example../",
    "https://.points.example/",
    "https://points..example/",
    "https://points_.example/",
    "https://-points.example/",
    "https://points-.example/",
    "https://%70oints.example/",
    "https://127%2e0.0.1/",
    "https://points/",
    "https://localhost/",
    "https://localhost./",
    "https://LOCALHOST/",
    "https://a.localhost/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://router.home.arpa/",
    "https://2130706433/",
    "https://017700000001/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0x7f.0x0.0x0.0x1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://0177.0.0.1/",
    "https://127.0.0.01/",
    "https://127.0.0.1./",
    "https://127.0.0.256/",
    "https://127.0.0.0x1/",
    "https://1.1.1.1.1/",
    "https://①②⑦.⓪.⓪.①/",
    "https://１２７.０.０.１/",
    "https://127。0。0。1/",
    "https://ｌｏｃａｌｈｏｓｔ/",
    "https://积分.example/",
    "https://[::1/",
    "https://::1/",
    "https://[fe80::1%25eth0]/",
    "https://[127.0.0.1]/",
    "https://[::ffff:127.0.0.1]x/",
    "https://[v1.fe80]/",
    "https://points.example/a b",
    "https://points.example/\r\nHost: other",
    "https://points.example/\n",
    "https://points.example/\t",
    "\thttps://points.example/",
    " https://points.example/",
    "https://points.example/路",
    "https://points.example/\x00",
    "https://points.example/<",
    f"https://{'a' * 64}.example/",
    f"https://{'a.' * 130}example/",
    f"https://points.example/{'a' * 400}",
]


@pytest.mark.parametrize("url", BAD)
def test_an_odd_spelling_is_refused_before_any_name_is_looked_up(url):
    def look_up(host, _port):
        raise AssertionError(f"{host} was looked up")

    with pytest.raises(BadAddress):
        judged(url, Reach(PRODUCTION.ports, look_up))


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1:8443/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[0:0:0:0:0:0:0:1]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[fd00:ec2::254]/",
    ],
)
def test_a_number_written_plainly_is_judged_by_where_it_leads(url):
    with pytest.raises(AddressNotPublic):
        judged(url, PRODUCTION)


def test_a_good_address_is_taken_apart():
    place = PRODUCTION.place_of("https://Points.Example:8443/hooks/a%20b?key=1&b=2")
    assert (place.host, place.port, place.target) == (
        "points.example",
        8443,
        "/hooks/a%20b?key=1&b=2",
    )
    assert place.authority == "points.example:8443"
    plain = PRODUCTION.place_of("https://xn--fiq228c.example")
    assert (plain.target, plain.authority) == ("/", "xn--fiq228c.example")
    number = PRODUCTION.place_of("https://[2606:4700:4700:0::1111]/")
    assert (number.host, number.authority) == ("2606:4700:4700::1111", "[2606:4700:4700::1111]")


def test_plain_http_is_for_trials_only_and_no_door_to_this_machine():
    trial = reach_of(is_production=False)
    assert trial.place_of("http://points.example:8080/").port == 8080
    with pytest.raises(BadAddress):
        trial.place_of("http://points.example:6379/")
    with pytest.raises(AddressNotPublic):
        judged("http://127.0.0.1:8080/", trial)


def test_a_name_that_leads_nowhere_is_said_so():
    def fail(_host, _port):
        raise OSError("no such name")

    def stumble(_host, _port):
        raise UnicodeError("label too long")

    for resolve in (fail, stumble, lambda _host, _port: []):
        with pytest.raises(AddressNotFound):
            judged("https://points.example/", Reach(PRODUCTION.ports, resolve))


def test_the_real_resolver_reads_numbers_without_asking_anybody():
    assert resolve_host("127.0.0.1", 443) == ["127.0.0.1"]
    assert resolve_host("::1", 443) == ["::1"]
    assert "127.0.0.1" in resolve_host("localhost", 443)
