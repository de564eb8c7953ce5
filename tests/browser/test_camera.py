"""The camera that other browser tests hold codes before: our decoder reads what it shows."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.fake_camera import HEADER, HEIGHT, WIDTH, FakeCamera, code_on_wall, film
from tests.browser.people import PATIENCE_MS, PAUSE_MS
from tests.browser.phones import Watch

# As the scanning pages do it: the camera's picture on a canvas, and the vendored decoder.
READ_CAMERA = """async () => {
    const { default: decode } = await import("/static/vendor/qr/decode.js");
    const stream = await navigator.mediaDevices.getUserMedia({ video: true });
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = stream;
    await video.play();
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    const pen = canvas.getContext("2d");
    pen.drawImage(video, 0, 0);
    stream.getTracks().forEach((track) => track.stop());
    const picture = pen.getImageData(0, 0, canvas.width, canvas.height);
    try {
        return { width: canvas.width, text: decode(picture) };
    } catch {
        return { width: canvas.width, text: null };
    }
}"""

CODES = ("https://points.example/s/1.venue.aB3-_x", "771234567890123456", "签到" * 20)


def test_a_film_has_a_header_and_whole_frames() -> None:
    content = film(code_on_wall("x"))
    assert content.startswith(HEADER)
    frame_bytes = len(b"FRAME\n") + WIDTH * HEIGHT * 3 // 2
    assert (len(content) - len(HEADER)) % frame_bytes == 0
    assert len(content) > len(HEADER)


@pytest.mark.engine("sqlite")
def test_the_decoder_reads_each_code_in_turn(browser_page: Page, camera: FakeCamera) -> None:
    browser_page.goto("/healthz")
    for text in CODES:
        camera.show(text)
        assert browser_page.evaluate(READ_CAMERA) == {"width": WIDTH, "text": text}
    camera.show_nothing()
    assert browser_page.evaluate(READ_CAMERA) == {"width": WIDTH, "text": None}


@pytest.mark.engine("sqlite")
def test_each_person_has_cookies_of_their_own(open_page: Callable[..., Page]) -> None:
    one, other = open_page(), open_page(viewport={"width": 1280, "height": 800})
    for page in (one, other):
        page.goto("/healthz")
    one.evaluate("() => { document.cookie = 'mine=1' }")
    assert "mine=1" in one.evaluate("() => document.cookie")
    assert "mine=1" not in other.evaluate("() => document.cookie")


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize(
    ("act", "fault"),
    [
        ("() => { setTimeout(() => { throw new Error('broken') }) }", "broken"),
        ("() => { document.body.setAttribute('style', 'color: red') }", "style"),
        ("() => fetch('http://127.0.0.2:9/').catch(() => null)", "127.0.0.2"),
        ("() => { location = 'http://127.0.0.2:9/' }", "stranger"),
    ],
)
def test_what_must_never_happen_on_a_page_is_noticed(
    browser_process: Browser, live_server: str, act: str, fault: str
) -> None:
    watch = Watch(live_server)
    context = browser_process.new_context()
    watch.over(context)
    page = context.new_page()
    page.goto(f"{live_server}/healthz")
    assert watch.faults == []
    page.evaluate(act)
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not watch.faults and time.monotonic() < deadline:
        page.wait_for_timeout(PAUSE_MS)
    context.close()
    assert any(fault in said for said in watch.faults), watch.faults
