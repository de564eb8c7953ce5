"""A load client for people: each request at its own moment, from a device of its own."""

import heapq
import itertools
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bench.load import CHUNK_BYTES, SILENCE_SECONDS_MAX, answer_in

# A browser opens no more connections to one host.
CONNECTIONS_A_DEVICE = 6
STATION = "station"


@dataclass
class Asked:
    """One request. due: seconds after the beginning. write makes it when it is sent, because
    codes live for seconds. then: what follows from the answer, due as long after it.
    """

    due: float
    # A phone in a hand hangs up after each answer; a station keeps its connections.
    device: str
    kind: str
    write: Callable[[], bytes]
    person: int = -1
    then: Callable[[int, bytes], Iterable["Asked"]] | None = None


@dataclass(frozen=True)
class Answered:
    """One answer. seconds: from when the request was due, waiting for a connection with it."""

    asked: Asked
    status: int
    body: bytes
    seconds: float


@dataclass
class _Device:
    """Connections that rest, how many there are, and what waits for one."""

    resting: list[socket.socket] = field(default_factory=list)
    opened: int = 0
    waiting: deque[tuple[float, Asked]] = field(default_factory=deque)


@dataclass
class _Flight:
    """A request under way on a connection."""

    device: _Device
    asked: Asked
    due: float
    buffer: bytearray = field(default_factory=bytearray)


class Crowd:
    """Devices that send what is due, and what was answered."""

    def __init__(self, port: int, asked: Iterable[Asked]) -> None:
        """Plan the requests; nothing is sent yet."""
        self.answers: list[Answered] = []
        self._port = port
        self._numbers = itertools.count()
        self._plan: list[tuple[float, int, Asked]] = []
        self._devices: dict[str, _Device] = {}
        self._selector = selectors.DefaultSelector()
        self._in_flight = 0
        for each in asked:
            self._add(each.due, each)

    def _add(self, due: float, asked: Asked) -> None:
        heapq.heappush(self._plan, (due, next(self._numbers), asked))

    def send_all(self) -> list[Answered]:
        """Send each request at its moment, and return the answers in the order they came."""
        self._began = time.perf_counter()
        while self._plan or self._in_flight:
            clock = time.perf_counter() - self._began
            while self._plan and self._plan[0][0] <= clock:
                due, _, asked = heapq.heappop(self._plan)
                self._send(due, asked)
            self._receive(self._pause())
        for device in self._devices.values():
            for plug in device.resting:
                plug.close()
        self._selector.close()
        return self.answers

    def _pause(self) -> float:
        """Return how long nothing is due."""
        if not self._plan:
            return SILENCE_SECONDS_MAX
        return max(0.0, self._plan[0][0] - (time.perf_counter() - self._began))

    def _send(self, due: float, asked: Asked) -> None:
        device = self._devices.setdefault(asked.device, _Device())
        while device.resting and _was_closed(device.resting[-1]):
            device.resting.pop().close()
            device.opened -= 1
        if not device.resting and device.opened >= CONNECTIONS_A_DEVICE:
            device.waiting.append((due, asked))
            return
        plug = device.resting.pop() if device.resting else self._open(device)
        self._fly(plug, _Flight(device, asked, due))

    def _open(self, device: _Device) -> socket.socket:
        plug = socket.create_connection(("127.0.0.1", self._port))
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        device.opened += 1
        return plug

    def _fly(self, plug: socket.socket, flight: _Flight) -> None:
        plug.sendall(flight.asked.write())
        self._selector.register(plug, selectors.EVENT_READ, flight)
        self._in_flight += 1

    def _receive(self, seconds: float) -> None:
        if not self._in_flight:
            time.sleep(seconds)
            return
        events = self._selector.select(seconds)
        if not events and seconds >= SILENCE_SECONDS_MAX:
            raise TimeoutError("the service has stopped answering")
        for key, _mask in events:
            plug = key.fileobj
            assert isinstance(plug, socket.socket)
            self._take(plug, key.data)

    def _take(self, plug: socket.socket, flight: _Flight) -> None:
        part = plug.recv(CHUNK_BYTES)
        if not part:
            raise ConnectionError("the service closed a connection")
        flight.buffer += part
        answer = answer_in(flight.buffer)
        if answer is None:
            return
        clock = time.perf_counter() - self._began
        status, body = answer
        self.answers.append(Answered(flight.asked, status, body, clock - flight.due))
        self._selector.unregister(plug)
        self._in_flight -= 1
        for more in flight.asked.then(status, body) if flight.asked.then else ():
            self._add(clock + more.due, more)
        self._rest(plug, flight)

    def _rest(self, plug: socket.socket, flight: _Flight) -> None:
        device = flight.device
        if device.waiting:
            due, asked = device.waiting.popleft()
            self._fly(plug, _Flight(device, asked, due))
        elif flight.asked.device.startswith(STATION):
            device.resting.append(plug)
        else:
            plug.close()
            device.opened -= 1


def _was_closed(plug: socket.socket) -> bool:
    """Tell whether the service hung up on a connection that nothing was asked on for long."""
    try:
        return plug.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
