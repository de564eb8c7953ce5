"""A scanner gun: it types what it reads, at its own pace, and Enter."""

from playwright.sync_api import Page

# Each key is told, then stands in the field that has the focus, unless the page keeps it from
# that. Keys bear the moments at which a gun sends them: a machine that stalls between two of
# them would make a slow hand of it.
TYPE_LIKE_A_GUN = """(text) => {
    const KEY_MS = 5;
    const began = performance.now();
    [...text, "Enter"].forEach((key, place) => {
        const at = document.activeElement ?? document.body;
        const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
        Object.defineProperty(event, "timeStamp", { value: began + place * KEY_MS });
        const goes = at.dispatchEvent(event);
        if (!goes || !at.matches("input")) return;
        if (key === "Enter") at.form.requestSubmit();
        else {
            at.value += key;
            at.dispatchEvent(new Event("input", { bubbles: true }));
        }
    });
}"""


def pull_trigger(page: Page, text: str) -> None:
    """Let a gun that stands at this page's device read a code."""
    page.evaluate(TYPE_LIKE_A_GUN, text)
