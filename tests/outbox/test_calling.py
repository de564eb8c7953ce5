"""One call outward: to the judged address, within bounds, without following anything."""

import socket
import ssl
import threading
import time

import pytest

from pointsbank.outbox import calling
from pointsbank.outbox.addresses import Reach, is_public, reach_of, resolve_host
from pointsbank.outbox.calling import call
from tests.outbox.receiver import CERTIFICATE, HOST, LOOPBACK, drip, reach_here, receiving

BODY = b'{"data": {}}'
SLOW = 0.3


def post(url, reach=None, **more):
    return call(
        url, body=BODY, headers={"webhook-id": "a"}, reach=reach or reach_here(), **more
    )


def outcome(answer):
    return answer.status, answer.problem


@pytest.fixture
def server_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


@pytest.fixture
def trust():
    return ssl.create_default_context(cafile=str(CERTIFICATE))


def test_a_body_arrives_as_it_was_sent():
    with receiving() as receiver:
        answer = post(receiver.url)
    assert outcome(answer) == (204, None)
    (message,) = receiver.messages
    assert message.line == "POST /hooks?key=1 HTTP/1.1"
    assert message.body == BODY
    assert message.headers["host"] == f"{HOST}:{receiver.port}"
    assert message.headers["webhook-id"] == "a"


@pytest.mark.parametrize(
    ("status", "problem"),
    [(200, None), (202, None), (299, None), (301, "redirect"), (304, "redirect")]
    + [(400, "bad_status"), (404, "bad_status"), (410, "bad_status"), (500, "bad_status")],
)
def test_only_a_status_of_success_means_taken(status, problem):
    with receiving(lambda talk: talk.answer(status)) as receiver:
        assert outcome(post(receiver.url)) == (status, problem)


def test_a_redirection_to_this_machine_is_not_followed():
    with receiving() as inner, receiving() as outer:
        location = f"Location: http://{LOOPBACK}:{inner.port}/latest/meta-data"
        for status in (301, 302, 303, 307, 308):
            outer.behave = lambda talk, status=status: talk.answer(status, location)
            assert outcome(post(outer.url)) == (status, "redirect")
    assert len(outer.messages) == 5
    assert inner.messages == []


def test_a_name_that_leads_elsewhere_the_next_moment_helps_nobody(monkeypatch):
    """The rebinding resolver: public when judged, this machine ever after."""
    asked, looked_up = [], []

    def rebind(host, _port):
        asked.append(host)
        return [LOOPBACK] if len(asked) > 1 else ["93.184.215.14"]

    def no_way_out(address, *_args, **_more):
        looked_up.append(address[0])
        raise OSError("no network here")

    monkeypatch.setattr("urllib3.util.connection.create_connection", no_way_out)
    with receiving() as receiver:
        reach = Reach({"http": None}, rebind, is_public)
        assert outcome(post(receiver.url, reach)) == (None, "no_connection")
        assert (asked, looked_up) == ([HOST], ["93.184.215.14"])
        # Judged again at the next sending, it is refused.
        assert outcome(post(receiver.url, reach)) == (None, "address_not_public")
    assert receiver.messages == []


def test_the_control_a_connection_by_name_would_have_been_rebound(monkeypatch):
    """Without the pin: judged once, then connected to by name, it reaches this machine."""
    answers = iter([["93.184.215.14"]])
    reach = Reach({"http": None}, lambda _host, _port: next(answers, [LOOPBACK]), is_public)
    real = socket.getaddrinfo

    def by_the_same_resolver(host, port, *rest, **more):
        there = next(answers, [LOOPBACK])[0] if host == HOST else host
        return real(there, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", by_the_same_resolver)
    pinned = calling._connection
    monkeypatch.setattr(
        calling, "_connection", lambda place, _address, trust: pinned(place, place.host, trust)
    )
    with receiving() as receiver:
        assert outcome(post(receiver.url, reach)) == (204, None)
    assert len(receiver.messages) == 1


def test_what_a_service_may_reach_does_not_hold_this_machine():
    with receiving() as receiver:
        url = f"http://{LOOPBACK}:{receiver.port}/"
        assert outcome(post(url, reach_of(is_production=True))) == (None, "bad_address")
        assert outcome(post(url, reach_of(is_production=False))) == (None, "bad_address")
        anywhere = Reach({"http": None}, resolve_host, is_public)
        assert outcome(post(url, anywhere)) == (None, "address_not_public")
    assert receiver.messages == []


def test_a_host_that_is_away_is_tried_at_its_next_address_and_at_no_third():
    with receiving() as receiver:
        # Nobody listens on the other loopback addresses.
        assert outcome(post(receiver.url, reach_here("127.0.0.2", LOOPBACK))) == (204, None)
        third = reach_here("127.0.0.2", "127.0.0.3", LOOPBACK)
        assert outcome(post(receiver.url, third)) == (None, "no_connection")
    assert len(receiver.messages) == 1
    assert outcome(post(receiver.url)) == (None, "no_connection")


def test_a_receiver_that_says_nothing_is_left(monkeypatch):
    monkeypatch.setattr(calling, "READ_SECONDS", SLOW)
    done = threading.Event()
    with receiving(lambda _talk: done.wait(10)) as receiver:
        answer = post(receiver.url)
        done.set()
    assert outcome(answer) == (None, "no_answer")
    assert SLOW * 1000 <= answer.milliseconds < 5000


def test_a_receiver_that_sends_byte_by_byte_is_left_when_the_whole_time_is_over():
    slowly = drip(b"HTTP/1.1 200 OK\r\n\r\n", 0.05)
    with receiving(slowly) as receiver:
        answer = post(receiver.url, whole_seconds=SLOW)
    assert outcome(answer) == (None, "no_answer")
    assert answer.milliseconds < 5000


def test_a_secure_handshake_sent_byte_by_byte_ends_too():
    hello = b"\x16\x03\x03\x3f\xff" + b"\x02" * 400
    with socket.socket() as listening:
        listening.bind((LOOPBACK, 0))
        listening.listen()

        def talk():
            caller, _ = listening.accept()
            with caller:
                for byte in hello:
                    try:
                        caller.sendall(bytes([byte]))
                    except OSError:
                        return
                    time.sleep(0.02)

        thread = threading.Thread(target=talk)
        thread.start()
        url = f"https://{HOST}:{listening.getsockname()[1]}/"
        answer = post(url, whole_seconds=SLOW)
        thread.join()
    assert answer.status is None
    assert answer.problem in ("not_trusted", "no_answer")
    assert SLOW * 1000 <= answer.milliseconds < 5000


def test_a_body_of_any_size_is_not_read():
    sent = []

    def pour(talk):
        talk.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(1000):
            talk.write(b"x" * 1_000_000)
            sent.append(1)

    with receiving(pour) as receiver:
        answer = post(receiver.url)
    assert outcome(answer) == (200, None)
    assert answer.milliseconds < 5000
    assert len(sent) < 100


@pytest.mark.parametrize(
    "said",
    [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"HTTP/1.1 20"]
    + [b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 200 + b"\r\n"]
    + [b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"],
    ids=["nothing", "another protocol", "no number", "half a line", "many headers", "long"],
)
def test_what_is_no_answer_is_none(said):
    with receiving(lambda talk: talk.write(said)) as receiver:
        answer = post(receiver.url)
    assert outcome(answer) == (None, "no_answer")


def test_the_name_is_what_the_certificate_must_bear(server_context, trust):
    with receiving(context=server_context) as receiver:
        assert outcome(post(receiver.url, trust=trust)) == (204, None)
        other = receiver.url.replace(HOST, "elsewhere.example")
        assert outcome(post(other, trust=trust)) == (None, "not_trusted")
        # And the system does not know who signed it.
        assert outcome(post(receiver.url)) == (None, "not_trusted")
    assert len(receiver.messages) == 1
