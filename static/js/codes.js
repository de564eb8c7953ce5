// My code: fetch the next code before the shown one runs out, and say plainly when that fails.
import { drawCode, setDigits, setRing } from "./qrcode.js";
import { readJson, sendJson } from "./server.js";

const RETRY_MS = 4000;
const WAITING_MS = 1000; // clerk and member stand there and wait for the question
const page = document.querySelector("#my-code");
const card = page.querySelector("[data-code-card]");
const ring = page.querySelector("[data-ring]");
const trouble = page.querySelector("[data-code-problem]");
const again = page.querySelector("[data-code-refresh]");

let total = Number(page.dataset.total);
let endsAt = performance.now() + Number(page.dataset.left) * 1000;
let asking = false;
let notBefore = 0;
const secondsLeft = () => (endsAt - performance.now()) / 1000;

function say(words) {
  trouble.hidden = !words;
  trouble.textContent = words || "";
  // A code that ran out fades, so that nobody holds a dead one out.
  card.classList.toggle("stale", Boolean(words) && secondsLeft() <= 0);
}

function take(code) {
  drawCode(page.querySelector("[data-qr]"), code.url || code.code);
  setDigits(page.querySelector("[data-digits]"), code.digits || "");
  total = code.refresh_seconds;
  endsAt = performance.now() + total * 1000;
  setRing(ring, total, total);
  say("");
}

async function next() {
  if (asking) return;
  asking = true;
  try {
    const { status, data } = await sendJson(page.dataset.api, { purpose: page.dataset.purpose });
    if (status === 201) take(data);
    else if (status === 401 || status === 403) say(page.dataset.wordsRefused);
    else throw new Error(`status ${status}`);
  } catch {
    say(secondsLeft() > 0 ? page.dataset.wordsStill : page.dataset.wordsOffline);
  } finally {
    asking = false;
    notBefore = performance.now() + RETRY_MS;
  }
}

function tick() {
  const left = secondsLeft();
  setRing(ring, left, total);
  // A hidden page asks for nothing: for redemption every new code would kill the one before.
  if (left <= 0 && !document.hidden && performance.now() >= notBefore) next();
}

again.addEventListener("click", (event) => {
  event.preventDefault();
  notBefore = 0;
  next();
});
addEventListener("online", () => { if (!trouble.hidden) next(); });
document.addEventListener("visibilitychange", tick);
setInterval(tick, 1000);
tick();

// Above 200 points the clerk's deal waits for this phone: the question comes by itself.
async function look() {
  if (document.hidden) return;
  const found = await readJson(page.dataset.waiting).catch(() => ({ items: [] }));
  if (found.items.some((deal) => deal.state === "waiting")) location.assign(page.dataset.confirm);
}
if (page.dataset.waiting) setInterval(look, WAITING_MS);
