// The clerk's till: a scanned code goes into the form; a lost answer is asked for again with the same key;
// the last deals and the day's sum keep themselves fresh.
import { Scanner } from "./scanner.js";
import { signal } from "./signals.js";

const scannerRoot = document.querySelector("[data-scanner]");
const deal = document.querySelector("form[data-till]");
if (scannerRoot && deal) {
  const scanner = new Scanner(scannerRoot);
  const target = deal.querySelector("[data-code-target]");
  scannerRoot.addEventListener("code", (event) => {
    target.value = event.detail.text;
    signal("ok");
    if (deal.reportValidity()) {
      scanner.close();
      deal.requestSubmit();
    } else {
      scanner.resume(); // the reward is not chosen yet; the code stays in its field
    }
  });
}

// The form carries its idempotency key. Sent twice, the server answers the same and moves the points once.
const form = document.querySelector("form[data-ask-again]");

function lost(show) {
  const place = form.querySelector("[data-lost]");
  place.hidden = !show;
  place.className = show ? "note bad" : "";
  place.textContent = show ? form.dataset.wordsLost : "";
}

function ready(button, words) {
  button.disabled = false;
  button.removeAttribute("aria-busy");
  if (words) button.textContent = words;
}

async function submit(button) {
  lost(false);
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  let answer;
  try {
    answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "text/html" }, credentials: "same-origin" });
    if (answer.status >= 502) throw new Error("no answer behind the proxy");
  } catch {
    lost(true);
    ready(button, form.dataset.wordsAsk);
    signal("refuse");
    return;
  }
  if (answer.redirected) {
    location.replace(answer.url); // the receipt; "back" must not lead to this form again
    return;
  }
  // A refusal comes as a page; it takes this one's place, so that the form cannot be sent once more by habit.
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.title = page.title;
  document.body.replaceWith(document.adoptNode(page.body));
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopImmediatePropagation();
  const button = form.querySelector("button[type=submit]");
  if (!button.disabled) submit(button);
}, { capture: true });

// What is chosen first leads on to the code; a till with a keyboard is ready for its scanner gun at once.
const whose = document.querySelector("[data-whose]");
document.querySelector("form[data-till]")?.addEventListener("change", (event) => {
  if (event.target.name !== "reward_id" || !whose || event.target.hasAttribute("data-by-points")) return;
  const target = whose.querySelector("[data-code-target]");
  if (target.value) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  whose.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  if (matchMedia("(pointer: fine)").matches) target.focus({ preventScroll: true });
});

// Points that are typed choose "by points" by themselves.
document.querySelector("form[data-till] input[name=points]")?.addEventListener("input", () => {
  const radio = document.querySelector("[data-by-points]");
  if (radio) radio.checked = true;
});

const FRESH_MS = 6000;
const live = document.querySelector("[data-live]");
const offline = document.querySelector("[data-offline]");

async function refresh() {
  if (document.hidden) return;
  let page;
  try {
    const answer = await fetch(live.dataset.live, { headers: { Accept: "text/html" }, credentials: "same-origin", signal: AbortSignal.timeout?.(FRESH_MS) });
    if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    offline.hidden = false;
    return;
  }
  offline.hidden = true;
  const fresh = page.querySelector("[data-live]");
  if (fresh && fresh.textContent !== live.textContent && !live.contains(document.activeElement)) live.replaceChildren(...fresh.childNodes);
}

if (live && offline) {
  setInterval(refresh, FRESH_MS);
  addEventListener("online", refresh);
  addEventListener("offline", () => { offline.hidden = false; });
}
