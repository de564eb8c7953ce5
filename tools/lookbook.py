"""Takes every page of the journey to look at; says where one is too wide, small or English."""

import argparse
from pathlib import Path
from typing import Any

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page

from tools.district import District, People, photographers
from tools.market_scene import arrange
from tools.market_sights import MARKET
from tools.sights import Sight, look_over, show_code

PHONE = {"width": 390, "height": 844}
NARROWEST = {"width": 320, "height": 640}
DESK = {"width": 1280, "height": 800}
# 1280 pixels at twice the size leave a page half of them.
DOUBLE = {"width": 640, "height": 400}


def type_code(page: Page, district: District) -> None:
    """Scan the volunteer's personal code at the station."""
    page.locator("#typed-code").fill(district.personal_code())
    page.locator("[data-scanner-form] button").click()
    page.locator("#verdict:not([hidden]) [data-slot=acts] button").first.wait_for()


def type_nonsense(page: Page, _district: District) -> None:
    """Scan something that is no code at the station."""
    page.locator("#typed-code").fill("https://example.org/parcel")
    page.locator("[data-scanner-form] button").click()
    page.locator("#verdict:not([hidden]) [data-slot=acts] button").first.wait_for()


def redeem(page: Page, district: District) -> None:
    """Go through to the receipt."""
    look_over(page, district)
    page.locator(".sheet form button").click()
    page.locator(".receipt").wait_for()


def look_over_nonsense(page: Page, _district: District) -> None:
    """Type digits that are no code."""
    page.locator("input[name=reward_id]").first.check()
    show_code(page, "771234567890123456")
    page.locator("button[form=till-form]").click()
    page.locator("#deal").wait_for()


def draw_code(page: Page, _district: District) -> None:
    """Ask for a redemption code."""
    page.locator("[data-code-refresh]").click()
    page.locator("[data-digits] span").first.wait_for()


def look_up(page: Page, _district: District) -> None:
    """Search for a name at the station, and open who was found first."""
    page.locator("input[name=words]").fill("王")
    page.locator("main form button").first.click()
    page.locator("details.ask summary").first.click()


def call_roll(page: Page, _district: District) -> None:
    """Count heads, and draw who is called up."""
    page.locator("input[name=counted]").fill("6")
    page.locator("main form button").first.click()
    page.locator("form[action$=roll-call] button").first.click()
    page.wait_for_load_state()


def sign_in_wrongly(page: Page, _district: District) -> None:
    """Mistype the password."""
    page.locator("input[name=phone]").fill("10000000999")
    page.locator("input[name=password]").fill("not this one")
    page.locator("main form button[type=submit]").click()
    page.locator(".err, .problems, .note").first.wait_for()


def send_bad_file(page: Page, _district: District) -> None:
    """Send a file with mistakes in it."""
    page.locator("input[type=file]").set_input_files(
        {"name": "bad.csv", "mimeType": "text/csv", "buffer": BAD_FILE.encode()}
    )
    page.locator("main form button[type=submit]").last.click()
    page.locator("[role=alert], .problems, .table, .note").first.wait_for()


BAD_FILE = """编码,名称,类型,上级编码
140303,矿区,district,
140303001,平潭街街道,street,140303
140303001,平潭街街道,street,140303
14030300X,无名,castle,999
"""

SIGHTS = (
    Sight("welcome", "", "/"),
    Sight("sign-in", "", "/sign-in"),
    Sight("sign-in-wrong", "", "/sign-in", sign_in_wrongly),
    Sight("not-found", "volunteer", "/no-such-page"),
    Sight("not-allowed", "volunteer", "/dashboard"),
    Sight("home", "volunteer", "/"),
    Sight("tasks", "volunteer", "/tasks"),
    Sight("task-open", "volunteer", "/tasks/{coming_task}"),
    Sight("my-tasks", "volunteer", "/my-tasks"),
    Sight("task-claimed", "volunteer", "/tasks/{task}"),
    Sight("my-code", "volunteer", "/my-code"),
    Sight("my-code-redeem-empty", "volunteer", "/my-code/redeem"),
    Sight("my-code-redeem", "volunteer", "/my-code/redeem", draw_code),
    Sight("passbook", "volunteer", "/passbook"),
    Sight("rewards", "volunteer", "/rewards"),
    Sight("reward", "volunteer", "/rewards/{reward}"),
    Sight("redemptions", "volunteer", "/redemptions"),
    Sight("rankings-volunteer", "volunteer", "/rankings"),
    Sight("me", "volunteer", "/me"),
    Sight("organizer-home", "organizer", "/"),
    Sight("venue", "organizer", "/shifts/{shift}/venue"),
    Sight("station", "organizer", "/shifts/{shift}/station"),
    Sight("verdict-bad", "organizer", "/shifts/{shift}/station", type_nonsense),
    Sight("verdict", "organizer", "/shifts/{shift}/station", type_code),
    Sight("sheet", "organizer", "/shifts/{shift}/attendance"),
    Sight("sheet-settled", "organizer", "/shifts/{settled_shift}/attendance"),
    Sight("task-organizer", "organizer", "/tasks/{task}"),
    Sight("people-looked-up", "organizer", "/shifts/{shift}/people", look_up),
    Sight("walk-in", "organizer", "/shifts/{shift}/walk-ins"),
    Sight("watching", "organizer", "/shifts/{shift}/watching", call_roll),
    Sight("vouching", "organizer", "/shifts/{shift}/vouching"),
    Sight("differences", "organizer", "/shifts/{differing_shift}/differences"),
    Sight("stations", "organizer", "/shifts/stations"),
    Sight("series", "organizer", "/series/{series}"),
    Sight("series-following", "organizer", "/series/{series}/following"),
    Sight("series-new", "organizer", "/shifts/{coming_shift}/series/new"),
    Sight("shift-change", "organizer", "/shifts/{coming_shift}/change"),
    Sight("cards", "organizer", "/cards"),
    Sight("service", "volunteer", "/service"),
    Sight("my-abilities", "volunteer", "/me/abilities"),
    Sight("my-invitations", "volunteer", "/my-invitations"),
    Sight("my-calendar", "volunteer", "/my-calendar"),
    Sight("my-code-general", "volunteer", "/my-code/general"),
    Sight("finding", "volunteer", "/tasks?free=1"),
    Sight("messages", "volunteer", "/messages"),
    Sight("register", "", "/register"),
    Sight("reviews", "secretary", "/reviews"),
    Sight("review", "secretary", "/reviews/{doubtful}"),
    Sight("hours", "secretary", "/hours"),
    Sight("approvals", "secretary", "/approvals"),
    Sight("groups", "secretary", "/groups"),
    Sight("group", "secretary", "/groups/{group}"),
    Sight("inviting", "organizer", "/shifts/{coming_shift}/invitations"),
    Sight("branch-invitations", "secretary", "/branch-invitations"),
    Sight("plans", "organizer", "/organizing"),
    Sight("plan", "organizer", "/organizing/{task}"),
    Sight("plan-draft", "organizer", "/organizing/{draft}"),
    Sight("plan-new", "organizer", "/organizing/new"),
    Sight("till", "clerk", "/till/{merchant}"),
    Sight("till-reward", "clerk", "/till/{merchant}?way=reward"),
    Sight("till-code", "clerk", "/till/{merchant}?way=code"),
    Sight("till-refused", "clerk", "/till/{merchant}?way=reward", look_over_nonsense),
    Sight("till-confirm", "clerk", "/till/{merchant}?way=reward", look_over),
    Sight("receipt", "clerk", "/till/{merchant}?way=reward", redeem),
    Sight("day", "clerk", "/merchants/{merchant}/redemptions"),
    Sight("offer", "clerk", "/merchants/{merchant}/rewards"),
    Sight("offer-new", "clerk", "/merchants/{merchant}/rewards/new"),
    Sight("clerk-home", "clerk", "/"),
    Sight("dashboard", "secretary", "/dashboard"),
    Sight("rankings", "secretary", "/rankings"),
    Sight("why", "secretary", "/rankings/members/{volunteer}/why"),
    Sight("members", "secretary", "/members"),
    Sight("member", "administrator", "/members/{volunteer}"),
    Sight("members-import", "administrator", "/members/import"),
    Sight("members-import-bad", "administrator", "/members/import", send_bad_file),
    Sight("organizations", "administrator", "/organizations"),
    Sight("organizations-import", "administrator", "/organizations/import"),
    Sight("organizations-import-bad", "administrator", "/organizations/import", send_bad_file),
    Sight("merchants", "administrator", "/merchants"),
    Sight("merchants-new", "administrator", "/merchants/new"),
    Sight("administrator-home", "administrator", "/"),
    Sight("auditor-home", "auditor", "/"),
    Sight("auditor-dashboard", "auditor", "/dashboard"),
    Sight("auditor-merchants", "auditor", "/merchants"),
)
ELDER_ROLES = ("", "volunteer", "clerk")

# What a page is asked after it was laid out.
CHECK = (Path(__file__).parent / "look.js").read_text()

VIEWS: dict[str, dict[str, Any]] = {
    "390": {"viewport": PHONE},
    "390-dark": {"viewport": PHONE, "color_scheme": "dark"},
    "1280": {"viewport": DESK},
    "390-en": {"viewport": PHONE},
    "320": {"viewport": NARROWEST},
    "640": {"viewport": DOUBLE},
    "390-elder": {"viewport": PHONE},
    "320-elder-xl": {"viewport": NARROWEST},
    "1280-dark": {"viewport": DESK, "color_scheme": "dark"},
}
COOKIES = {
    "390-en": ("pointsbank_locale", "en"),
    "390-elder": ("pointsbank_display", "elder"),
    "320-elder-xl": ("pointsbank_display", "elder-xl"),
}


def look(people: People, sight: Sight, view: str, folder: Path) -> None:
    """Take one page in one view, whole, and print what is wrong with it."""
    district = people.district
    if sight.before is not None:
        sight.before(district)
    with people.page_of(sight.role, **VIEWS[view]) as page:
        faults = []
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.on(
            "console",
            lambda said: said.type == "error" and faults.append(f"console: {said.text}"),
        )
        if view in COOKIES:
            name, value = COOKIES[view]
            page.context.add_cookies([{"name": name, "value": value, "url": district.address}])
        answer = page.goto(sight.path.format(**district.rows, **district.codes))
        if answer is not None and answer.status >= 400:
            faults.append(f"status {answer.status}")
        if sight.act is not None:
            sight.act(page, district)
        page.wait_for_timeout(150)  # pictures and fonts
        faults += page.evaluate(CHECK, "en" if view.endswith("-en") else "zh")
        page.screenshot(path=folder / f"{sight.name}-{view}.png", full_page=True)
    for fault in faults:
        print(f"{sight.name} {view}: {fault}")


def main() -> None:
    """Look at every page in every view that makes sense for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("words", nargs="*", help="only pages whose name holds one of these")
    parser.add_argument("--views", nargs="+", choices=list(VIEWS), default=list(VIEWS))
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    with photographers() as people:
        arrange(people.district)
        for sight in (*SIGHTS, *MARKET):
            if asked.words and not any(word in sight.name for word in asked.words):
                continue
            for view in asked.views:
                if "elder" in view and sight.role not in ELDER_ROLES:
                    continue
                try:
                    look(people, sight, view, asked.folder)
                except PlaywrightError as error:
                    print(f"{sight.name} {view}: {str(error).splitlines()[0]}")


if __name__ == "__main__":
    main()
