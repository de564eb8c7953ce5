"""One HTTP call outward: to the judged address, within bounds, without following anything."""

import http.client
import logging
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from pointsbank.outbox.addresses import Place, Reach
from pointsbank.outbox.errors import AddressNotFound, AddressNotPublic, BadAddress

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
# Timeouts count from byte to byte; a receiver that sends one every few seconds ends here.
WHOLE_SECONDS = 15.0
# A host with several addresses is tried at so many of them, and only where none answered.
ADDRESSES_TRIED = 2

# What went wrong, by a word of ours: a receiver's own words are kept nowhere.
PROBLEMS = (
    "bad_address",
    "address_not_found",
    "address_not_public",
    "no_connection",
    "not_trusted",
    "no_answer",
    "redirect",
    "bad_status",
)

# Its one warning would write the address, whose path may hold what the receiver keeps secret.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Answer:
    """How a call went: taken when problem is none; status is none where nobody answered."""

    status: int | None
    problem: str | None
    milliseconds: int = 0


class Limit:
    """Ends a connection when its whole time is over, wherever it stands, TLS included."""

    def __init__(self, seconds: float) -> None:
        """Begin to count; nothing is ended before a socket is watched."""
        self._watched: list[socket.socket] = []
        self._is_over = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def watch(self, connected: socket.socket) -> None:
        """End this socket too when time is over; a copy is kept, since TLS takes the object."""
        with self._lock:
            self._watched.append(connected.dup())
        if self._is_over:
            self._end()

    def close(self) -> None:
        """Stop counting."""
        self._timer.cancel()
        with self._lock:
            for each in self._watched:
                each.close()
            self._watched.clear()

    def _end(self) -> None:
        with self._lock:
            self._is_over = True
            for each in self._watched:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


class LimitedHttp(HTTPConnection):
    """A connection to an address, under a limit."""

    limit: Limit

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        self.limit.watch(connected)
        return connected


class LimitedHttps(HTTPSConnection):
    """A secure connection to an address, under a limit."""

    limit: Limit

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        self.limit.watch(connected)
        return connected


def call(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    reach: Reach,
    trust: ssl.SSLContext | None = None,
    whole_seconds: float = WHOLE_SECONDS,
) -> Answer:
    """POST a body and return how it went; nothing that the other side does raises.

    Taken is only an answer with a status from 200 to 299; a redirection is none. Of the answer
    nothing but the status is read. trust: the system's certificates when none.
    """
    started = time.monotonic()
    status, problem = _tried(url, body, headers, reach, trust, whole_seconds)
    return Answer(status, problem, round((time.monotonic() - started) * 1000))


def _tried(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    reach: Reach,
    trust: ssl.SSLContext | None,
    whole_seconds: float,
) -> tuple[int | None, str | None]:
    try:
        place = reach.place_of(url)
        addresses = reach.addresses_of(place)
    except (BadAddress, AddressNotFound, AddressNotPublic) as refusal:
        return None, refusal.code
    limit = Limit(whole_seconds)
    try:
        for address in addresses[:ADDRESSES_TRIED]:
            status, problem = _posted(place, address, body, headers, trust, limit)
            if problem != "no_connection":
                break
    finally:
        limit.close()
    return status, problem


def _posted(
    place: Place,
    address: str,
    body: bytes,
    headers: Mapping[str, str],
    trust: ssl.SSLContext | None,
    limit: Limit,
) -> tuple[int | None, str | None]:
    """Send to one address. The name is used for the certificate and the Host header alone."""
    connection = _connection(place, address, trust)
    connection.limit = limit
    try:
        connection.connect()
        connection.timeout = READ_SECONDS
        connection.request(
            "POST",
            place.target,
            body=body,
            headers={**headers, "Host": place.authority, "Connection": "close"},
            preload_content=False,
        )
        status = connection.getresponse().status
    except (NewConnectionError, ConnectTimeoutError):
        return None, "no_connection"
    except ssl.SSLError:
        return None, "not_trusted"
    except (OSError, HTTPError, http.client.HTTPException, ValueError):
        return None, "no_answer"
    finally:
        connection.close()
    return status, problem_of(status)


def _connection(
    place: Place, address: str, trust: ssl.SSLContext | None
) -> LimitedHttp | LimitedHttps:
    if place.scheme == "http":
        return LimitedHttp(address, place.port, timeout=CONNECT_SECONDS)
    secure: dict[str, Any] = {"server_hostname": place.host, "cert_reqs": "CERT_REQUIRED"}
    if trust is not None:
        secure["ssl_context"] = trust
    return LimitedHttps(address, place.port, timeout=CONNECT_SECONDS, **secure)


def problem_of(status: int) -> str | None:
    """Return the word for what a status says, none when the body was taken."""
    if 200 <= status < 300:
        return None
    return "redirect" if 300 <= status < 400 else "bad_status"
