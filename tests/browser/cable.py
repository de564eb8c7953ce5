"""The cable between a phone and the service, which a test can cut, clog or lead elsewhere."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

BUFFER_BYTES = 65_536
# What a hotel's network answers to everything until somebody signs in there.
HOTEL = b"<html><title>Welcome</title><p>Please accept our terms.</p></html>"


def answer(status: str, body: bytes, kind: str = "text/html") -> bytes:
    """Return a whole HTTP answer."""
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


class Cable:
    """A port of this machine that leads to another.

    open: everything passes. cut: nobody answers the call. clogged: the call is taken and
    nothing comes. deaf: requests arrive, answers are lost. An HTTP answer as bytes: it is all
    that anybody gets.
    """

    def __init__(self, port: int, service_port: int) -> None:
        self.port, self.service_port = port, service_port
        self.state: str | bytes = "open"
        self.passed = 0
        self._pairs: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The service's address at this end of the cable."""
        return f"http://127.0.0.1:{self.port}"

    def turn(self, state: str | bytes) -> None:
        """Change what the cable does, for the calls that stand open too."""
        self.state = state
        if state == "deaf":
            return
        with self._lock:
            standing, self._pairs = self._pairs, set()
        for one in standing:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Take the network away."""
        self.turn("cut")

    def mend(self) -> None:
        """Bring the network back."""
        self.turn("open")

    def close(self) -> None:
        """Take the cable away for good."""
        self.turn("cut")
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        state = self.state
        with closing(near), suppress(OSError):
            if state == "cut":
                return
            if isinstance(state, bytes):
                near.recv(BUFFER_BYTES)
                near.sendall(state)
                return
            if state == "clogged":
                self._keep(near)
                while near.recv(BUFFER_BYTES):
                    pass
                return
            with socket.create_connection(("127.0.0.1", self.service_port)) as far:
                self._keep(near, far)
                back = threading.Thread(target=self._pump, args=(far, near, True), daemon=True)
                back.start()
                self._pump(near, far, False)
                back.join()

    def _keep(self, *ends: socket.socket) -> None:
        with self._lock:
            self._pairs.update(ends)

    def _pump(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while data := source.recv(BUFFER_BYTES):
                if is_answer and self.state == "deaf":
                    continue
                self.passed += len(data)
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@contextmanager
def cable_to(port: int, service_port: int) -> Iterator[Cable]:
    """Lay a cable, and take it away when the block ends."""
    cable = Cable(port, service_port)
    try:
        yield cable
    finally:
        cable.close()
