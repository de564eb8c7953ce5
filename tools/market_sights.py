"""The pages of the marketplace: for members, the counter, administrators, auditors."""

from playwright.sync_api import Page

from tools.district import District
from tools.market_scene import PIN, ask_above, call_off, order_at_till
from tools.sights import Act, Sight, show_code

WRONG_CODES = 5


def wait_for_answer(district: District) -> None:
    """Let a deal above 200 points wait for the volunteer; the one before it is called off."""
    settings, rows = district.app.extensions["settings"], district.rows
    with district.app.app_context():
        if "waiting" in rows:
            call_off(settings, rows, rows["waiting"])
        rows["waiting"] = ask_above(settings, rows)


def call_it_off(district: District) -> None:
    """Let nothing wait any more."""
    if "waiting" in district.rows:
        with district.app.app_context():
            call_off(
                district.app.extensions["settings"], district.rows, district.rows.pop("waiting")
            )


def order_now(district: District) -> None:
    """Let the volunteer have ordered at the till's own code."""
    with district.app.app_context():
        district.rows["at_till"] = order_at_till(
            district.app.extensions["settings"], district.rows
        )


def draw_digits(district: District) -> None:
    """Draw a redemption code of the volunteer for the address of a scanned one."""
    district.codes["redemption_code"] = district.redemption_text()


def type_in(**values: str) -> Act:
    """Return what fills the fields of the page's form and sends it."""

    def act(page: Page, _district: District) -> None:
        for name, value in values.items():
            field = page.locator(f"main [name={name}]").first
            if field.evaluate("(field) => field.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.evaluate("(field, value) => { field.value = value; }", value)
        form = page.locator(f"main form:has([name={next(iter(values))}])").first
        form.evaluate("(form) => { form.noValidate = true; form.requestSubmit(); }")
        page.wait_for_load_state()
        page.locator(
            "[role=alert], .problems, .note, .receipt, .empty, .sheet"
        ).first.wait_for()

    return act


def opened(place: str) -> Act:
    """Return what opens a part that is folded."""

    def act(page: Page, _district: District) -> None:
        page.locator(place).first.click()

    return act


def choose(page: Page, district: District, reward: str, code: str, pin: str = "") -> None:
    """Choose a reward at the till, type a code, and look it over."""
    page.locator(f"input[name=reward_id][value='{district.rows[reward]}']").check()
    show_code(page, code, pin)
    page.locator("button[form=till-form]").click()
    page.wait_for_load_state()


def look_over_dear(page: Page, district: District) -> None:
    """Look over what the member has to confirm."""
    choose(page, district, "dear", district.redemption_digits())
    page.locator(".sheet form").wait_for()


def look_over_card(page: Page, district: District) -> None:
    """Take a paper card, with its six digits."""
    choose(page, district, "usual", district.codes["card"], PIN)
    page.locator(".sheet form").wait_for()


def look_over_wrong_pin(page: Page, district: District) -> None:
    """Take a paper card with six wrong digits."""
    choose(page, district, "usual", district.codes["card"], "000000")


def look_over_gone(page: Page, district: District) -> None:
    """Ask for more of it than there is."""
    page.locator("main [name=quantity]").fill("999")
    choose(page, district, "usual", district.redemption_digits())


def lock_the_till(page: Page, district: District) -> None:
    """Type wrong codes until the till is locked."""
    for _ in range(WRONG_CODES + 1):
        choose(page, district, "usual", "771234567890123457")
        page.locator("#deal").wait_for()


def close_the_day(page: Page, _district: District) -> None:
    """Close the day, unless that was done."""
    if page.locator("form[action$=closing]").count():
        page.locator("details:has(form[action$=closing]) summary").click()
        page.locator("form[action$=closing] input[name=note]").fill("零钱少一角，明天补")
        page.locator("form[action$=closing] button").click()
        page.wait_for_load_state()


def lose_the_network(page: Page, district: District) -> None:
    """Confirm while nothing comes back."""
    choose(page, district, "usual", district.redemption_digits())
    page.route("**/*", lambda route: route.abort())
    page.locator("form[data-ask-again] button[type=submit]").click()
    page.locator("[data-lost]:not([hidden])").wait_for()


def go_offline(page: Page, _district: District) -> None:
    """Stand at the till without a network."""
    page.evaluate("dispatchEvent(new Event('offline'))")


MARKET = (
    Sight("mk-rewards", "volunteer", "/rewards"),
    Sight("mk-rewards-search", "volunteer", "/rewards?words=理发"),
    Sight("mk-rewards-none", "volunteer", "/rewards?words=飞机"),
    Sight("mk-reward", "volunteer", "/rewards/{usual}"),
    Sight("mk-reward-picture", "volunteer", "/rewards/{pictured}"),
    Sight("mk-reward-dear", "volunteer", "/rewards/{dear}"),
    Sight("mk-reward-over", "volunteer", "/rewards/{over}"),
    Sight("mk-reward-tool", "volunteer", "/rewards/{tool}"),
    Sight("mk-reward-stars", "volunteer", "/rewards/{starred}"),
    Sight("mk-order-form", "volunteer", "/rewards/{usual}/order"),
    Sight("mk-order-refused", "volunteer", "/rewards/{scarce}/order", type_in(quantity="9")),
    Sight("mk-orders", "volunteer", "/orders"),
    Sight("mk-voucher-own", "volunteer", "/orders/{own_order}"),
    Sight("mk-voucher-cancel", "volunteer", "/orders/{own_order}", opened(".ask summary")),
    Sight("mk-order-cancelled", "volunteer", "/orders/{cancelled_order}"),
    Sight("mk-loans", "volunteer", "/loans"),
    Sight("mk-wishes", "volunteer", "/reward-wishes"),
    Sight("mk-redemptions", "volunteer", "/redemptions"),
    Sight("mk-receipt-own", "volunteer", "/redemptions/{own_deal}"),
    Sight("mk-confirm", "volunteer", "/redemptions/{waiting}", before=wait_for_answer),
    Sight("mk-code-waiting", "volunteer", "/my-code/redeem", before=wait_for_answer),
    Sight("mk-passbook", "volunteer", "/passbook", before=call_it_off),
    Sight("mk-at-shop", "volunteer", "/T/{till_code}"),
    Sight("mk-at-shop-refused", "volunteer", "/T/{till_code}", type_in(points="1999")),
    Sight("mk-at-till", "volunteer", "/at-till/{at_till}", before=order_now),
    Sight("mk-own-scanned", "volunteer", "/R/{redemption_code}", before=draw_digits),
    Sight("mk-foreign-voucher", "organizer", "/V/{part_voucher}"),
    Sight("mk-foreign-code", "organizer", "/R/{redemption_code}", before=draw_digits),
    Sight("mk-till-code-wrong", "volunteer", "/T/NONSENSE"),
    Sight("mk-shops-member", "volunteer", "/merchants/{merchant}/shops"),
    Sight("mk-apply", "volunteer", "/merchant-applications/new"),
    Sight(
        "mk-apply-wrong",
        "volunteer",
        "/merchant-applications/new",
        type_in(name="老刘修鞋", license_no="123"),
    ),
    Sight("mk-applications-own", "volunteer", "/merchant-applications"),
    Sight("mk-till", "clerk", "/till/{merchant}"),
    Sight("mk-till-offline", "clerk", "/till/{merchant}", go_offline),
    Sight("mk-till-close", "clerk", "/till/{merchant}", opened(".ask summary")),
    Sight("mk-till-reward", "clerk", "/till/{merchant}?way=reward"),
    Sight("mk-till-points", "clerk", "/till/{merchant}?way=points"),
    Sight("mk-till-code", "clerk", "/till/{merchant}?way=code"),
    Sight("mk-till-read", "clerk", "/R/{redemption_code}", before=draw_digits),
    Sight(
        "mk-till-pin", "clerk", "/till/{merchant}?way=reward", opened("#deal details summary")
    ),
    Sight("mk-till-confirm-card", "clerk", "/till/{merchant}?way=reward", look_over_card),
    Sight("mk-till-wrong-pin", "clerk", "/till/{merchant}?way=reward", look_over_wrong_pin),
    Sight("mk-till-confirm-dear", "clerk", "/till/{merchant}?way=reward", look_over_dear),
    Sight("mk-till-gone", "clerk", "/till/{merchant}?way=reward", look_over_gone),
    Sight("mk-till-lost", "clerk", "/till/{merchant}?way=reward", lose_the_network),
    Sight("mk-till-waiting", "clerk", "/redemptions/{waiting}", before=wait_for_answer),
    Sight("mk-till-list-waiting", "clerk", "/till/{merchant}", before=wait_for_answer),
    Sight("mk-receipt", "clerk", "/redemptions/{own_deal}", before=call_it_off),
    Sight("mk-receipt-void", "clerk", "/redemptions/{own_deal}", opened(".ask summary")),
    Sight("mk-receipt-voided", "clerk", "/redemptions/{voided_deal}"),
    Sight("mk-receipt-part", "clerk", "/redemptions/{part_deal}"),
    Sight("mk-receipt-declined", "clerk", "/redemptions/{declined_deal}"),
    Sight("mk-receipt-lapsed", "clerk", "/redemptions/{lapsed_deal}"),
    Sight("mk-receipt-asked-clerk", "clerk", "/redemptions/{asked_deal}"),
    Sight("mk-vouchers", "clerk", "/till/{merchant}/vouchers"),
    Sight(
        "mk-vouchers-wrong", "clerk", "/till/{merchant}/vouchers", type_in(code="ABCD2345EFGH")
    ),
    Sight("mk-voucher", "clerk", "/V/{part_voucher}"),
    Sight("mk-voucher-not", "clerk", "/V/{part_voucher}", opened(".ask summary")),
    Sight("mk-loans-counter", "clerk", "/till/{merchant}/loans"),
    Sight("mk-loans-damaged", "clerk", "/till/{merchant}/loans", opened(".ask summary")),
    Sight(
        "mk-loans-refused",
        "clerk",
        "/till/{merchant}/loans",
        type_in(code="771234567890123457"),
    ),
    Sight("mk-day", "clerk", "/merchants/{merchant}/redemptions"),
    Sight("mk-desk", "clerk", "/merchants/{merchant}"),
    Sight("mk-shops", "clerk", "/merchants/{merchant}/shops"),
    Sight("mk-shop-edit", "clerk", "/shops/{shop}"),
    Sight("mk-shop-wrong", "clerk", "/shops/{shop}", type_in(name="", usual="8点到20点")),
    Sight("mk-contracts-clerk", "clerk", "/merchants/{merchant}/contracts"),
    Sight("mk-clerks", "clerk", "/merchants/{merchant}/clerks"),
    Sight("mk-offer", "clerk", "/merchants/{merchant}/rewards"),
    Sight("mk-offer-open", "clerk", "/merchants/{merchant}/rewards", opened(".ask summary")),
    Sight("mk-offer-new", "clerk", "/merchants/{merchant}/rewards/new"),
    Sight(
        "mk-offer-more",
        "clerk",
        "/merchants/{merchant}/rewards/new",
        opened("form details summary"),
    ),
    Sight(
        "mk-offer-wrong",
        "clerk",
        "/merchants/{merchant}/rewards/new",
        type_in(name="", points="-5", stock="x", monthdays="40"),
    ),
    Sight("mk-offer-edit", "clerk", "/rewards/{pictured}/edit"),
    Sight("mk-statements", "clerk", "/merchants/{merchant}/statements"),
    Sight("mk-statement", "clerk", "/merchants/{merchant}/statements/{month}"),
    Sight("mk-line", "clerk", "/merchants/{merchant}/statements/{month}/lines/1"),
    Sight("mk-dashboard", "administrator", "/dashboard"),
    Sight("mk-applications", "administrator", "/merchant-applications"),
    Sight("mk-application", "administrator", "/merchant-applications/{application}"),
    Sight(
        "mk-application-refuse",
        "administrator",
        "/merchant-applications/{application}",
        opened(".ask summary"),
    ),
    Sight("mk-merchants", "administrator", "/merchants"),
    Sight("mk-desk-administrator", "administrator", "/merchants/{merchant}"),
    Sight("mk-contracts", "administrator", "/merchants/{merchant}/contracts"),
    Sight("mk-contracts-ending", "administrator", "/merchants/{ending_merchant}/contracts"),
    Sight("mk-contracts-proposed", "administrator", "/merchants/{proposed_merchant}/contracts"),
    Sight(
        "mk-contracts-wrong",
        "administrator",
        "/merchants/{merchant}/contracts",
        type_in(reference="", rate="abc", month_points_max="-1"),
    ),
    Sight("mk-clerks-administrator", "administrator", "/merchants/{merchant}/clerks"),
    Sight(
        "mk-offer-wrong-administrator",
        "administrator",
        "/merchants/{merchant}/rewards/new",
        type_in(name="", points="0"),
    ),
    Sight("mk-month", "administrator", "/statements"),
    Sight(
        "mk-statement-closed",
        "administrator",
        "/merchants/{closed_merchant}/statements/{month}",
    ),
    Sight(
        "mk-statement-disputed",
        "administrator",
        "/merchants/{disputed_merchant}/statements/{month}",
    ),
    Sight(
        "mk-line-answer",
        "administrator",
        "/merchants/{disputed_merchant}/statements/{month}/lines/1",
    ),
    Sight(
        "mk-statement-confirmed",
        "administrator",
        "/merchants/{confirmed_merchant}/statements/{month}",
    ),
    Sight(
        "mk-statement-approved",
        "administrator",
        "/merchants/{approved_merchant}/statements/{month}",
    ),
    Sight(
        "mk-statement-paid", "administrator", "/merchants/{paid_merchant}/statements/{month}"
    ),
    Sight("mk-report", "administrator", "/reports/points"),
    Sight("mk-shortage", "administrator", "/rewards/shortage"),
    Sight("mk-wish-answers", "administrator", "/reward-wishes/answers"),
    Sight("mk-wish-answer", "administrator", "/reward-wishes/{wish}/answer"),
    Sight("mk-asked", "administrator", "/redemptions/{asked_deal}"),
    Sight("mk-asked-second", "second", "/redemptions/{asked_deal}"),
    Sight("mk-messages-second", "second", "/messages"),
    Sight("mk-void-old", "second", "/redemptions/{own_deal}", opened(".ask summary")),
    Sight("mk-unusual", "auditor", "/redemptions/unusual"),
    Sight("mk-report-auditor", "auditor", "/reports/points"),
    Sight("mk-month-auditor", "auditor", "/statements"),
    Sight("mk-day-auditor", "auditor", "/merchants/{merchant}/redemptions"),
    Sight("mk-voids", "second", "/redemptions/voids"),
    Sight("mk-papers", "clerk", "/merchants/{merchant}/papers"),
    Sight("mk-papers-administrator", "administrator", "/merchants/{merchant}/papers"),
    Sight("mk-till-closed", "clerk", "/till/{merchant}", close_the_day, before=call_it_off),
    # The last one, because nothing is taken for a minute afterwards.
    Sight("mk-till-locked", "clerk", "/till/{merchant}?way=reward", lock_the_till),
)
