// My code for one shift: a new one every 30 s, computed here, with or without a network.
import { drawCode, setRing } from "./qrcode.js";
import { STEP_SECONDS, personalCode, stepAt } from "./personalcode.js";
import { readJson } from "./server.js";

const SKEW_TOLD_MS = 90_000; // as the server's CLOCK_SKEW_SECONDS
const page = document.querySelector("#shift-code");
const card = page.querySelector("[data-code-card]");
const ring = page.querySelector("[data-ring]");
const trouble = page.querySelector("[data-code-problem]");
const data = page.dataset;

// The phone's clock may be wrong; the step goes by the server's.
const clockOffsetMs = Number(data.now) - Date.now();
const serverNow = () => Date.now() + clockOffsetMs;
// WebCrypto exists only on secure origins; elsewhere the server is asked for each code.
const canCompute = Boolean(globalThis.crypto?.subtle);
let key = data.key;
// Out of the page once it is read: what stands in the page can be saved with it.
delete data.key;
let shown = stepAt(Number(data.now));

function say(words) {
  trouble.hidden = !words;
  trouble.textContent = words || "";
  card.classList.toggle("stale", Boolean(words));
}

async function codeUrl(step) {
  if (canCompute) {
    const { header, handle, shiftHandle, urlPrefix } = data;
    return urlPrefix + (await personalCode({ header, handle, shiftHandle, key }, step));
  }
  const { items } = await readJson(data.api);
  return items.find((one) => String(one.shift.id) === data.shift).url;
}

async function tick() {
  const now = serverNow();
  if (now >= Number(data.until)) {
    key = "";
    say(data.wordsOver);
    return;
  }
  const step = stepAt(now);
  setRing(ring, STEP_SECONDS - (now / 1000 - step * STEP_SECONDS), STEP_SECONDS);
  if (step === shown) return;
  shown = step;
  try {
    const url = await codeUrl(step);
    if (shown !== step) return;
    drawCode(page.querySelector("[data-qr]"), url);
    say("");
  } catch {
    // An old code must not stand there as if it were good: try again at the next tick.
    shown = 0;
    say(data.wordsOffline);
  }
}

page.querySelector("[data-clock-wrong]").hidden = Math.abs(clockOffsetMs) <= SKEW_TOLD_MS;
document.addEventListener("visibilitychange", tick);
setInterval(tick, 1000);
tick();
