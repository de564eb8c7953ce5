"""Which addresses are called: only https hosts of the public internet, spelled plainly.

Whoever adds a webhook makes this service send requests, so the address must not lead to what
only this service can reach (OWASP API7, server-side request forgery). It is judged when it is
added and again at each sending, and what was judged is what is called: the connection goes to
the resolved address, never to the name, so that a name that resolves differently the next
moment helps nobody.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pointsbank.outbox.errors import AddressNotFound, AddressNotPublic, BadAddress
from pointsbank.outbox.models import URL_LENGTH_MAX

Resolve = Callable[[str, int], Sequence[str]]
Judge = Callable[[str], bool]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

HTTPS_PORTS = (443, 8443)
HTTP_PORTS = (80, 8080)
HOST_LENGTH_MAX = 253

# Every character that RFC 3986 allows in a path and a query; no user, no fragment, no spaces.
URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?"
    r"(?P<query>\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?",
    re.ASCII,
)
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
# What a resolver would read as a number: 2130706433, 0x7f.1, 127.1 (WHATWG URL, host parsing).
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
# Names that mean this machine or this network wherever they are asked (RFC 6761, 6762, 8375).
LOCAL_NAMES = ("localhost", "local", "internal", "home.arpa")

# IANA's special-purpose registries (RFC 6890 and since), written out, because the standard
# library's own list differs from one Python to the next.
REFUSED_IPV4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # A public number that answers inside one cloud's machines.
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# All that is given out for the public internet; mapped, compatible and translated forms of
# IPv4, link-local, site-local, unique local and multicast addresses lie outside of it.
PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")
REFUSED_IPV6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # Protocol assignments: Teredo, ORCHID, benchmarking.
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries an IPv4 address within.
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)


@dataclass(frozen=True)
class Place:
    """An address taken apart; host is in lower case, target is the path with its query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """The host as the Host header names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            host
            if self.port == (443 if self.scheme == "https" else 80)
            else (f"{host}:{self.port}")
        )


def is_public(address: str) -> bool:
    """Tell whether an address belongs to the public internet and to one host of it."""
    try:
        number: Address = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(number, ipaddress.IPv4Address):
        return number.is_global and not any(number in network for network in REFUSED_IPV4)
    if number.scope_id is not None or number not in PUBLIC_IPV6:
        return False
    return number.is_global and not any(number in network for network in REFUSED_IPV6)


def resolve_host(host: str, port: int) -> list[str]:
    """Return every address of a host, in the order in which the system would try them.

    Raises OSError; UnicodeError for a name that no resolver takes.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(answer[4][0]) for answer in found))


@dataclass(frozen=True)
class Reach:
    """What may be called: the ports of each scheme (none: any), who resolves, who judges.

    Only tests make one that judges otherwise than is_public: no setting leads to it.
    """

    ports: dict[str, tuple[int, ...] | None]
    resolve: Resolve = resolve_host
    judge: Judge = is_public

    def place_of(self, url: str) -> Place:
        """Take an address apart, without looking its host up.

        Raises BadAddress.
        """
        found = URL.fullmatch(url)
        if found is None or len(url) > URL_LENGTH_MAX or found["scheme"] not in self.ports:
            raise BadAddress
        port = int(found["port"] or (443 if found["scheme"] == "https" else 80))
        ports = self.ports[found["scheme"]]
        if not 1 <= port <= 65_535 or (ports is not None and port not in ports):
            raise BadAddress
        target = (found["path"] or "/") + (found["query"] or "")
        return Place(found["scheme"], plain_host(found["host"]), port, target)

    def addresses_of(self, place: Place) -> list[str]:
        """Return the addresses of a place, every one of them judged.

        Raises AddressNotFound, AddressNotPublic.
        """
        try:
            addresses = list(self.resolve(place.host, place.port))
        except (OSError, UnicodeError) as error:
            raise AddressNotFound from error
        if not addresses:
            raise AddressNotFound
        # One that is not public among several is enough: the connection might take just that.
        if not all(self.judge(address) for address in addresses):
            raise AddressNotPublic
        return addresses


def reach_of(*, is_production: bool) -> Reach:
    """Return what a service may call; plain http only where nothing is real."""
    if is_production:
        return Reach({"https": HTTPS_PORTS})
    return Reach({"https": HTTPS_PORTS, "http": HTTP_PORTS})


def plain_host(text: str) -> str:
    """Return a host in its one plain spelling: a name of labels, or a number fully written.

    Raises BadAddress for everything a resolver might read otherwise than it looks.
    """
    host = text.lower()
    if host.startswith("["):
        return str(_number(ipaddress.IPv6Address, host[1:-1]))
    labels = host.split(".")
    if NUMBER.fullmatch(labels[-1]):
        number = str(_number(ipaddress.IPv4Address, host))
        if number != host:
            raise BadAddress
        return number
    is_plain = len(labels) > 1 and all(LABEL.fullmatch(label) for label in labels)
    is_local = any(host == name or host.endswith(f".{name}") for name in LOCAL_NAMES)
    if not is_plain or is_local or len(host) > HOST_LENGTH_MAX:
        raise BadAddress
    return host


def _number(kind: type[Address], text: str) -> Address:
    try:
        return kind(text)
    except ValueError as error:
        raise BadAddress from error
