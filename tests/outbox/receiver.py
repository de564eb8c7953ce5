"""A receiver of webhooks on this machine: keeps what it was sent, answers as it is told."""

import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pointsbank.outbox.addresses import Reach

HOST = "receiver.example"
# A certificate for HOST and its key, made for these tests alone; nobody else trusts it.
CERTIFICATE = Path(__file__).with_name("receiver.pem")
LOOPBACK = "127.0.0.1"


@dataclass
class Message:
    """One request as it came in; headers by their names in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes


Behave = Callable[["Talk"], None]


@dataclass
class Talk:
    """One connection: what to answer is said by the receiver's behaviour."""

    write: Callable[[bytes], None]
    message: Message

    def answer(self, status: int, *headers: str, body: bytes = b"") -> None:
        """Answer at once."""
        lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers, "", ""]
        self.write("\r\n".join(lines).encode() + body)


@dataclass
class Receiver:
    """What came in, and how to answer it."""

    port: int = 0
    behave: Behave = field(default=lambda talk: talk.answer(204))
    messages: list[Message] = field(default_factory=list)
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{HOST}:{self.port}/hooks?key=1"

    def answer(self, *statuses: int) -> None:
        """Answer with these statuses in turn, and with the last of them from then on."""
        waiting = list(statuses)

        def behave(talk: Talk) -> None:
            talk.answer(waiting.pop(0) if len(waiting) > 1 else waiting[0])

        self.behave = behave


def reach_here(*addresses: str) -> Reach:
    """Return a reach for tests: every name leads to this machine, and it may be called."""
    found = addresses or (LOOPBACK,)
    return Reach({"http": None, "https": None}, lambda _host, _port: found, lambda _: True)


def read_message(stream: object) -> Message | None:
    """Read one request from a connection, None when it closed without one."""
    line = stream.readline().decode().strip()
    if not line:
        return None
    headers = {}
    while text := stream.readline().decode().strip():
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    return Message(line, headers, stream.read(int(headers.get("content-length", 0))))


@contextmanager
def receiving(
    behave: Behave | None = None, *, context: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    """Listen on a free port of this machine until the block ends."""
    receiver = Receiver(scheme="https" if context else "http")
    if behave is not None:
        receiver.behave = behave

    class Handler(socketserver.StreamRequestHandler):
        def setup(self) -> None:
            if context is not None:
                self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self) -> None:
            super().finish()
            # The server closes the plain socket alone.
            self.request.close()

        def handle(self) -> None:
            message = read_message(self.rfile)
            if message is not None:
                receiver.messages.append(message)
                receiver.behave(Talk(self.wfile.write, message))

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Pass over a caller that went away, which is what several tests are about."""

    with Server((LOOPBACK, 0), Handler) as server:
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def drip(text: bytes, seconds: float) -> Behave:
    """Return a behaviour that sends a byte, waits, and sends the next."""

    def behave(talk: Talk) -> None:
        for byte in text:
            talk.write(bytes([byte]))
            time.sleep(seconds)

    return behave
