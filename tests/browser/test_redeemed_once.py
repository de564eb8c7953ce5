"""What clerk and member see when something goes wrong; the ledger holds one redemption of it.

All phones reach the service by a cable, which a test cuts after the server has committed.
"""

import time
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.cable import Cable
from tests.browser.counters import (
    BALANCE,
    SMALL_PHONE,
    SOAP,
    SOAP_POINTS,
    STOCK,
    CounterScene,
    a_counter,
    code_on,
)
from tests.browser.laid_cable import cable, live_server
from tests.browser.people import PAUSE_MS, People, until

__all__ = ["cable", "live_server"]  # pytest finds fixtures by name

LOST = "没有收到回音，不知道办成没有。"
ASK_AGAIN = "再问一次，不会重复扣分"
CHOSEN = "给店员看"
USED = "这个码用过了，请核对本人。"
DONE = "兑换成功"
# Both tills are told the same moment, far enough ahead for both to hear of it.
SAME_MOMENT_MS = 500
TAP_AT = """(at) => setTimeout(
    () => document.querySelector("form[data-ask-again] button").click(), at - Date.now())"""


def new_code(phone: Page) -> str:
    """Let the member show a new redemption code, and return what a scanner reads."""
    phone.goto("/my-code/redeem")
    return code_on(phone)


def sheet_for(till: Page, code: str) -> None:
    """Let a clerk scan a code, pick the bottle and look it over."""
    till.goto(code)
    till.locator("label.pick", has_text=SOAP).tap()
    till.get_by_role("button", name="核对").tap()
    expect(till.get_by_role("dialog")).to_contain_text("王*兰")


def sheet_button(till: Page) -> Locator:
    return till.get_by_role("button", name=f"确认，扣 {SOAP_POINTS} 分")


def is_done(page: Page) -> None:
    expect(page.get_by_role("heading", name=DONE)).to_be_visible()


def after(deals: int) -> tuple[int, int, int]:
    """Return what the tables keep after so many bottles."""
    return deals, BALANCE - deals * SOAP_POINTS, STOCK - deals


def lose_answer(
    cable: Cable, tap: Callable[[], None], is_committed: Callable[[], bool]
) -> None:
    """Let a tap reach the server, whose answer is lost; then there is no network at all."""
    cable.turn("deaf")
    tap()
    until(is_committed)
    cable.cut()


def test_two_taps_and_two_tills_make_one_redemption(people: People, cable: Cable) -> None:
    scene = a_counter(people)
    till, phone = scene.till(), scene.phone()
    sheet_for(till, new_code(phone))
    sheet_button(till).dblclick()
    is_done(till)
    receipt = till.url
    assert scene.kept() == after(1)
    till.go_back()
    expect(till.get_by_role("dialog")).to_have_count(0)
    assert scene.kept() == after(1), "back, and nothing is taken again"

    # Two clerks have scanned the same code, and tap at the same moment.
    other = people.page_of(scene.colleague_id, **SMALL_PHONE)
    code = new_code(phone)
    for each in (till, other):
        sheet_for(each, code)
    at = time.time() * 1000 + SAME_MOMENT_MS
    for each in (till, other):
        each.evaluate(TAP_AT, at)
    ends = {}
    for each in (till, other):
        end = each.get_by_role("heading", name=DONE).or_(each.get_by_text(USED))
        expect(end).to_be_visible()
        ends[end.inner_text()] = each
    assert set(ends) == {DONE, USED}
    assert scene.kept() == after(2)
    loser = ends[USED]
    expect(loser.get_by_role("alert").filter(has_text=USED)).to_be_visible()
    deals = loser.locator("[data-live] a.row")
    expect(deals).to_have_count(2)
    for row in deals.all():
        expect(row).to_contain_text("已交付")
    # The page that took the sheet's place is a till at work: its camera can be started.
    expect(loser.get_by_role("button", name="开始扫码")).to_be_visible()
    assert ends[DONE].url != receipt


def lost_on_the_sheet(scene: CounterScene, cable: Cable, till: Page, phone: Page) -> None:
    """Lose the answer to the clerk's last tap, ask in vain, and ask again."""
    sheet_for(till, new_code(phone))
    lose_answer(cable, sheet_button(till).tap, lambda: scene.redemptions() == 1)
    lost = till.get_by_role("alert").filter(has_text=LOST)
    expect(lost).to_be_visible()
    with till.expect_event("requestfailed"):
        till.get_by_role("button", name=ASK_AGAIN).tap()
    expect(lost).to_be_visible()
    cable.mend()
    till.get_by_role("button", name=ASK_AGAIN).tap()
    is_done(till)


def lost_order(scene: CounterScene, cable: Cable, phone: Page) -> None:
    """Lose the answer to a member's choice at the shop's own code, and ask again."""
    phone.goto(scene.till_address)
    phone.locator("label.pick", has_text=SOAP).tap()
    choice = phone.get_by_role("button", name=CHOSEN)
    lose_answer(cable, choice.tap, lambda: scene.orders() == 1)
    expect(phone.get_by_role("alert").filter(has_text=LOST)).to_be_visible()
    cable.mend()
    phone.get_by_role("button", name=ASK_AGAIN).tap()
    expect(phone.get_by_role("heading", name="请给店员看")).to_be_visible()
    assert scene.orders() == 1


def lost_handing_over(scene: CounterScene, cable: Cable, till: Page, phone: Page) -> None:
    """Lose the answer to the clerk's one tap; both pages say so, and go on by themselves."""
    scene.to_till(till)
    entry = till.locator("li.entry", has_text=SOAP)
    handed = entry.get_by_role("button", name="已交付")
    lose_answer(cable, handed.tap, lambda: scene.redemptions() == 2)
    expect(entry.get_by_role("alert").filter(has_text=LOST)).to_be_visible()
    expect(till.get_by_text("没有网络。已确认的都算数")).to_be_visible()
    expect(phone.get_by_text("现在没有网络。网页会自己接着问结果。")).to_be_visible()
    cable.mend()
    is_done(phone)
    deals = till.locator("[data-live] a.row")
    expect(deals).to_have_count(2)
    expect(deals.first).to_contain_text("已交付")
    expect(till.get_by_text("没有网络。已确认的都算数")).to_be_hidden()


def lost_without_script(scene: CounterScene, cable: Cable, phone: Page) -> None:
    """Load a page anew that is the answer to a form: the browser sends the form again."""
    till = scene.till(java_script_enabled=False)
    sheet_for(till, new_code(phone))
    lose_answer(cable, sheet_button(till).tap, lambda: scene.redemptions() == 3)
    while not till.url.startswith("chrome-error:"):
        till.wait_for_timeout(PAUSE_MS)
    cable.mend()
    till.reload()
    is_done(till)


def test_an_answer_that_is_lost_is_asked_for_again(people: People, cable: Cable) -> None:
    scene = a_counter(people)
    till, phone = scene.till(), scene.phone()
    lost_on_the_sheet(scene, cable, till, phone)
    assert scene.kept() == after(1)
    lost_order(scene, cable, phone)
    lost_handing_over(scene, cable, till, phone)
    assert scene.kept() == after(2)
    lost_without_script(scene, cable, phone)
    assert scene.kept() == after(3)


def closed(page: Page, people: People) -> Page:
    """Close a browser, and open it again on the same phone: whoever signed in still is."""
    kept = page.context.storage_state()
    page.context.close()
    return people.open_page(storage_state=kept, **SMALL_PHONE)


def closed_by_the_clerk(scene: CounterScene, cable: Cable, till: Page, code: str) -> Page:
    """Close the till's browser before the last tap, and again before its answer comes."""
    sheet_for(till, code)
    till = closed(till, scene.people)
    scene.to_till(till)
    expect(till.get_by_text("今天还没有。")).to_be_visible()
    assert scene.kept() == after(0), "a look takes nothing"
    sheet_for(till, code)
    cable.turn("deaf")
    sheet_button(till).tap()
    until(lambda: scene.redemptions() == 1)
    till = closed(till, scene.people)
    cable.mend()
    scene.to_till(till)
    row = till.locator("[data-live] a.row")
    for words in (SOAP, "王*兰", f"−{SOAP_POINTS}", "已交付"):
        expect(row).to_contain_text(words)
    till.goto(code)
    expect(till.get_by_role("alert").filter(has_text=USED)).to_be_visible()
    return till


def closed_by_the_member(scene: CounterScene, phone: Page) -> Page:
    """Close the phone's browser with an order on the way, and find it by scanning again."""
    phone.goto(scene.till_address)
    phone.locator("label.pick", has_text=SOAP).tap()
    phone.get_by_role("button", name=CHOSEN).tap()
    word = phone.locator(".bal").inner_text()
    phone = closed(phone, scene.people)
    phone.goto(scene.till_address)
    expect(phone.get_by_text(f"这一单还等着店员交付：{SOAP}。")).to_be_visible()
    phone.get_by_role("link", name="给店员看四位数").tap()
    expect(phone.locator(".bal")).to_have_text(word)
    clock = phone.locator("[data-ring] b")
    expect(clock).not_to_have_text(clock.inner_text())
    return phone


def test_a_closed_browser_leaves_no_doubt(people: People, cable: Cable) -> None:
    scene = a_counter(people)
    phone = scene.phone()
    till = closed_by_the_clerk(scene, cable, scene.till(), new_code(phone))
    assert scene.kept() == after(1)
    phone = closed_by_the_member(scene, phone)
    scene.to_till(till)
    till.get_by_role("button", name="已交付").tap()
    is_done(till)
    is_done(phone)
    assert (scene.kept(), scene.orders()) == (after(2), 1)
