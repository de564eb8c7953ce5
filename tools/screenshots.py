"""Takes the pictures of docs/images: the tour of the README, from a district of its own."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from pointsbank.core.settings import ROOT
from tools.district import District, People, photographers
from tools.sights import look_over

FOLDER = ROOT / "docs" / "images"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
# Sharp enough on a page that shows three beside each other; twice would weigh twice.
PHONE_SCALE = 1.5
BYTES_MAX = 250_000

Act = Callable[[Page, District], None]


@dataclass(frozen=True)
class Picture:
    """A picture: who opens which page on which screen, and what is done there first."""

    name: str
    role: str
    path: str
    is_wide: bool = False
    is_whole: bool = False
    act: Act | None = None


def open_lines(page: Page, _district: District) -> None:
    """Bring the lines up, and open the newest deposit to show where it came from."""
    page.locator(".ledger tr:has(b.in) summary").first.click()
    page.locator(".leaf").evaluate(
        "(leaf) => scrollBy(0, leaf.getBoundingClientRect().top - 8)"
    )


def ask_for_code(page: Page, _district: District) -> None:
    """Wait for the redemption code that the page draws by itself."""
    page.locator("[data-digits]:not([hidden])").wait_for()


def scan(page: Page, district: District) -> None:
    """Scan the volunteer's personal code, and keep the verdict from closing by itself."""
    page.locator("#typed-code").fill(district.personal_code())
    page.locator("[data-scanner-form] button").click()
    page.locator("#verdict.ok [data-slot=acts] button").first.focus()


PICTURES = (
    Picture("home", "volunteer", "/"),
    Picture("passbook", "volunteer", "/passbook", act=open_lines),
    Picture("task", "volunteer", "/tasks/{coming_task}"),
    Picture("my-code", "volunteer", "/my-code/redeem", act=ask_for_code),
    Picture("verdict", "organizer", "/shifts/{shift}/station", act=scan),
    Picture("venue", "organizer", "/shifts/{shift}/venue", is_wide=True),
    Picture("till-confirm", "clerk", "/till/{merchant}?way=reward", act=look_over),
    Picture("dashboard", "secretary", "/dashboard", is_wide=True, is_whole=True),
)


def take(people: People, picture: Picture) -> int:
    """Take one picture and return its size in bytes."""
    screen = DESK if picture.is_wide else PHONE
    scale = 1 if picture.is_wide else PHONE_SCALE
    path = FOLDER / f"{picture.name}.png"
    with people.page_of(picture.role, viewport=screen, device_scale_factor=scale) as page:
        page.goto(picture.path.format(**people.district.rows), wait_until="networkidle")
        if picture.act is not None:
            picture.act(page, people.district)
        page.screenshot(path=path, full_page=picture.is_whole, animations="disabled")
    return path.stat().st_size


def main() -> None:
    """Take all pictures; refuse any that would make the README slow to open."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with photographers() as people:
        for picture in PICTURES:
            weight = take(people, picture)
            print(f"{picture.name:<14}{weight // 1000:>5} kB")
            if weight > BYTES_MAX:
                raise SystemExit(f"{picture.name} is heavier than {BYTES_MAX // 1000} kB.")


if __name__ == "__main__":
    main()
