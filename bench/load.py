"""A small load client: keep-alive connections in one epoll loop, requests made when they are
sent.
"""

import selectors
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

CHUNK_BYTES = 65536
SILENCE_SECONDS_MAX = 30
PACING_SECONDS = 0.002


@dataclass
class Result:
    """What one run of load met. Latencies are in seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    bodies_wrong: list[bytes] = field(default_factory=list)
    by_connection: list[int] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """How many requests were answered."""
        return len(self.latencies)

    @property
    def per_second(self) -> float:
        """Requests answered a second."""
        return self.answered / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """Return a latency that this share of requests did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


@dataclass
class _Connection:
    socket: socket.socket
    buffer: bytearray = field(default_factory=bytearray)
    began: float = 0.0
    answered: int = 0


def request_bytes(path: str, token: str, body: bytes, **headers: str) -> bytes:
    """Write one POST of JSON."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    )
    return head.encode() + body


def asking_bytes(path: str, token: str) -> bytes:
    """Write one GET."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n"
    ).encode()


def run_load(
    port: int,
    requests: Iterator[bytes],
    *,
    connections: int,
    seconds: float,
    is_right: Callable[[int, bytes], bool],
    per_second: float | None = None,
) -> Result:
    """Send for so many seconds, each connection one at a time; paced when per_second is
    given.

    It ends early when the requests run out. Every answer is judged by is_right(status, body).
    """
    sender = _Sender(port, requests, connections, seconds, per_second)
    result = Result()
    while sender.send_what_is_due():
        for connection in sender.ready():
            if _receive(connection, result, is_right):
                sender.idle.append(connection)
    result.seconds = time.perf_counter() - sender.started
    result.by_connection = sender.close()
    return result


class _Sender:
    """Connections, and when each request is due."""

    def __init__(
        self,
        port: int,
        requests: Iterator[bytes],
        connections: int,
        seconds: float,
        per_second: float | None,
    ) -> None:
        self._requests = requests
        self._seconds = seconds
        self._per_second = per_second
        self._selector = selectors.DefaultSelector()
        self._connections = [self._connect(port) for _ in range(connections)]
        self._sent = 0
        self._has_more = True
        self.idle = list(self._connections)
        self.started = time.perf_counter()

    def _connect(self, port: int) -> _Connection:
        plug = socket.create_connection(("127.0.0.1", port))
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(plug)
        self._selector.register(plug, selectors.EVENT_READ, connection)
        return connection

    def send_what_is_due(self) -> bool:
        """Send until nobody is idle or nothing is due; tell whether anything is under way."""
        clock = time.perf_counter()
        self._has_more = self._has_more and clock - self.started < self._seconds
        while (
            self._has_more and self.idle and (self._per_second is None or self._due() <= clock)
        ):
            request = next(self._requests, None)
            if request is None:
                self._has_more = False
                break
            connection = self.idle.pop(0)
            # Paced load counts from when a request was due, so that waiting for a connection
            # shows.
            connection.began = time.perf_counter() if self._per_second is None else self._due()
            connection.socket.sendall(request)
            self._sent += 1
        return self._has_more or len(self.idle) < len(self._connections)

    def _due(self) -> float:
        return self.started + self._sent / (self._per_second or 1)

    def ready(self) -> list[_Connection]:
        """Wait for answers, or until the next request is due."""
        is_pacing = self._per_second is not None and self._has_more
        events = self._selector.select(PACING_SECONDS if is_pacing else SILENCE_SECONDS_MAX)
        if not events and not is_pacing:
            raise TimeoutError("the service has stopped answering")
        return [key.data for key, _mask in events]

    def close(self) -> list[int]:
        """Hang up, and return how many answers each connection had."""
        for connection in self._connections:
            connection.socket.close()
        self._selector.close()
        return [connection.answered for connection in self._connections]


def answer_in(buffer: bytearray) -> tuple[int, bytes] | None:
    """Return status and body of the answer that has come, None while it is not whole."""
    head_end = buffer.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    head = bytes(buffer[:head_end]).lower()
    mark = head.find(b"content-length:")
    length = int(head[mark + 15 :].split(b"\r\n", 1)[0])
    if len(buffer) < head_end + 4 + length:
        return None
    return int(head[9:12]), bytes(buffer[head_end + 4 : head_end + 4 + length])


def _receive(
    connection: _Connection, result: Result, is_right: Callable[[int, bytes], bool]
) -> bool:
    """Take what has come; tell whether the answer is whole."""
    part = connection.socket.recv(CHUNK_BYTES)
    if not part:
        raise ConnectionError("the service closed a connection")
    connection.buffer += part
    answer = answer_in(connection.buffer)
    if answer is None:
        return False
    status, body = answer
    result.latencies.append(time.perf_counter() - connection.began)
    result.statuses[status] = result.statuses.get(status, 0) + 1
    if not is_right(status, body) and len(result.bodies_wrong) < 5:
        result.bodies_wrong.append(body[:300])
    connection.buffer.clear()
    connection.answered += 1
    return True
