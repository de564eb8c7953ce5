// The clerk's till: a scanned code goes into the form; a lost answer is asked for again with the same key;
// the last deals and the day's sum keep themselves fresh.
import { Scanner } from "./scanner.js";
import { signal } from "./signals.js";

// A voucher's code as rewards/vouchers.py reads it: it says by itself what is handed over.
const VOUCHER = /^(?:https?:\/\/[^/\s]+\/V\/)?[0-9A-Z](?:[\s-]*[0-9A-Z]){11}\/?$/i;
const isVoucher = (text) => VOUCHER.test(text.normalize("NFKC").trim());

function scan() {
  const root = document.querySelector("[data-scanner]");
  if (!root) return;
  const scanner = new Scanner(root);
  const deal = document.querySelector("form[data-till]");
  const target = deal?.querySelector("[data-code-target]");
  const typed = () => { deal.noValidate = deal.matches("[data-takes-vouchers]") && isVoucher(target.value); };
  target?.addEventListener("input", typed);
  root.addEventListener("code", (event) => {
    signal("ok");
    if (!target) {
      const own = root.querySelector("[data-scanner-form]");
      scanner.close();
      own.elements.code.value = event.detail.text;
      own.submit(); // straight to the server: its submit event is the scanner's own
      return;
    }
    target.value = event.detail.text;
    typed();
    if (deal.noValidate || deal.reportValidity()) {
      scanner.close();
      deal.requestSubmit();
    } else {
      scanner.resume(); // the reward is not chosen yet; the code stays in its field
    }
  });
}

function lost(form, show) {
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

async function submit(form, button) {
  lost(form, false);
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  let answer;
  try {
    answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "text/html" }, credentials: "same-origin" });
    if (answer.status >= 502) throw new Error("no answer behind the proxy");
  } catch {
    lost(form, true);
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
  start();
}

// The form carries its idempotency key. Sent twice, the server answers the same and moves the points once.
function askAgain() {
  const form = document.querySelector("form[data-ask-again]");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    const button = form.querySelector("button[type=submit]");
    if (!button.disabled) submit(form, button);
  }, { capture: true });
}

// What is chosen first leads on to the code; a till with a keyboard is ready for its scanner gun at once.
function leadOn() {
  const deal = document.querySelector("form[data-till]");
  const whose = document.querySelector("[data-whose]");
  deal?.addEventListener("change", (event) => {
    if (event.target.name !== "reward_id" || !whose || event.target.hasAttribute("data-by-points")) return;
    const target = whose.querySelector("[data-code-target]");
    if (target.value) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    whose.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
    if (matchMedia("(pointer: fine)").matches) target.focus({ preventScroll: true });
  });
  // Points that are typed choose "by points" by themselves.
  deal?.querySelector("input[name=points]")?.addEventListener("input", () => {
    const radio = document.querySelector("[data-by-points]");
    if (radio) radio.checked = true;
  });
}

function start() {
  scan();
  askAgain();
  leadOn();
}
start();

const FRESH_MS = 6000;
const parts = () => [document.querySelector("[data-live]"), document.querySelector("[data-offline]")];

async function refresh() {
  const [live, offline] = parts();
  if (document.hidden || !live || !offline) return;
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

setInterval(refresh, FRESH_MS);
addEventListener("online", refresh);
addEventListener("offline", () => {
  const [, offline] = parts();
  if (offline) offline.hidden = false;
});
