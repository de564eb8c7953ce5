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
    busy: bool = False


def request_bytes(path: str, token: str, body: bytes, **headers: str) -> bytes:
    """Write one POST of JSON."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    )
    return head.encode() + body


def run_load(
    port: int,
    requests: Iterator[bytes],
    *,
    connections: int,
    seconds: float,
    is_right: Callable[[int, bytes], bool],
    per_second: float | None = None,
) -> Result:
    """Send requests for so many seconds, each connection one at a time; paced when per_second
    is given.

    It ends early when the requests run out. Every answer is judged by is_right(status, body).
    """
    selector = selectors.DefaultSelector()
    open_connections = []
    for _ in range(connections):
        plug = socket.create_connection(("127.0.0.1", port))
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(plug)
        selector.register(plug, selectors.EVENT_READ, connection)
        open_connections.append(connection)
    result = Result()
    started = time.perf_counter()
    idle = list(open_connections)
    due, sent, more = started, 0, True
    while True:
        clock = time.perf_counter()
        more = more and clock - started < seconds
        while more and idle and (per_second is None or clock >= due):
            request = next(requests, None)
            if request is None:
                more = False
                break
            connection = idle.pop(0)
            # Paced load counts from when a request was due, so that waiting for a connection
            # shows.
            connection.began = due if per_second is not None else time.perf_counter()
            connection.busy = True
            connection.socket.sendall(request)
            sent += 1
            if per_second is not None:
                due = started + sent / per_second
        if not more and len(idle) == connections:
            break
        wait = 0.002 if per_second is not None and more else SILENCE_SECONDS_MAX
        events = selector.select(wait)
        if not events and wait == SILENCE_SECONDS_MAX:
            raise TimeoutError("the service has stopped answering")
        for key, _mask in events:
            if _receive(key.data, result, is_right):
                idle.append(key.data)
    result.seconds = time.perf_counter() - started
    result.by_connection = [connection.answered for connection in open_connections]
    for connection in open_connections:
        connection.socket.close()
    selector.close()
    return result


def _receive(
    connection: _Connection, result: Result, is_right: Callable[[int, bytes], bool]
) -> bool:
    """Take what has come; tell whether the answer is whole."""
    part = connection.socket.recv(CHUNK_BYTES)
    if not part:
        raise ConnectionError("the service closed a connection")
    connection.buffer += part
    head_end = connection.buffer.find(b"\r\n\r\n")
    if head_end < 0:
        return False
    head = bytes(connection.buffer[:head_end]).lower()
    mark = head.find(b"content-length:")
    length = int(head[mark + 15 :].split(b"\r\n", 1)[0])
    if len(connection.buffer) < head_end + 4 + length:
        return False
    body = bytes(connection.buffer[head_end + 4 : head_end + 4 + length])
    status = int(head[9:12])
    result.latencies.append(time.perf_counter() - connection.began)
    result.statuses[status] = result.statuses.get(status, 0) + 1
    if not is_right(status, body) and len(result.bodies_wrong) < 5:
        result.bodies_wrong.append(body[:300])
    connection.buffer.clear()
    connection.busy = False
    connection.answered += 1
    return True
