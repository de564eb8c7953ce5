// The venue screen: a new code every 15 s, computed here, and how many have come, asked of the server.
import { drawCode, setRing } from "./qrcode.js";
import { readJson } from "./server.js";
import { SLOT_SECONDS, slotAt, venueCode } from "./venuecode.js";
import { digitsSlotAt, venueDigits } from "./venuedigits.js";

const LIVE_EVERY_MS = 5000;
const page = document.querySelector("[data-venue]");
const box = page.querySelector("[data-qr]");
const ring = page.querySelector("[data-ring]");

// The device's clock may be wrong by hours; the slot goes by the server's.
const clockOffsetMs = Number(page.dataset.now) - Date.now();
const serverNow = () => Date.now() + clockOffsetMs;
let direction = page.dataset.direction;
let shown = "";

const keyOf = (way) => (way === "out" ? page.dataset.keyOut : page.dataset.keyIn);
// WebCrypto exists only on secure origins; elsewhere the server is asked for each code.
const canCompute = () => Boolean(globalThis.crypto?.subtle && keyOf(direction));

async function codeUrl(slot) {
  if (canCompute()) {
    const { header, handle, urlPrefix } = page.dataset;
    return urlPrefix + (await venueCode({ header, handle, key: keyOf(direction), direction }, slot));
  }
  return (await readJson(`${page.dataset.api}?direction=${direction}`)).url;
}

// The digits for those who scan the poster; beside the code, and as little in need of a network.
let digitsSlot = digitsSlotAt(serverNow());
async function tickDigits(now) {
  const slot = digitsSlotAt(now);
  if (slot === digitsSlot) return;
  digitsSlot = slot;
  const place = page.querySelector("[data-venue-digits]");
  try {
    place.textContent = canCompute() ? await venueDigits(keyOf("in"), slot) : (await readJson(page.dataset.poster)).digits;
  } catch {
    // Digits that ran out are no better than none: the poster then waits for approval.
    place.textContent = "····";
    digitsSlot = -1;
  }
}

async function tick() {
  const now = serverNow();
  tickDigits(now);
  const slot = slotAt(now);
  setRing(ring, SLOT_SECONDS - (now / 1000 - slot * SLOT_SECONDS), SLOT_SECONDS);
  const wanted = `${direction} ${slot}`;
  if (wanted === shown) return;
  shown = wanted;
  try {
    const url = await codeUrl(slot);
    if (shown === wanted) drawCode(box, url);
  } catch {
    // An old code must not stand there as if it were good: try again at the next tick.
    shown = "";
  }
}

function showArrivals({ arrived, places, recent = [] }) {
  const count = page.querySelector("[data-venue-arrived]");
  // Written only on change, or a screen reader would repeat it every five seconds.
  if (count.textContent !== String(arrived)) count.textContent = arrived;
  if (places !== undefined) page.querySelector("[data-venue-places]").textContent = places;
  page.querySelector("[data-venue-recent]").replaceChildren(...recent.slice(0, 4).map((one) => {
    const line = document.createElement("span");
    line.textContent = `${one.time} ${one.name}`;
    return line;
  }));
}

async function askArrivals() {
  if (document.hidden || !navigator.onLine || !page.dataset.live) return;
  try {
    showArrivals(await readJson(page.dataset.live));
  } catch {
    // Without a network the last number stays; the code itself goes on.
  }
}

function turn(way) {
  direction = way;
  page.dataset.direction = way;
  page.querySelector("[data-venue-words]").textContent = way === "out" ? page.dataset.wordsOut : page.dataset.wordsIn;
  for (const link of page.querySelectorAll(".switch a")) {
    if (link.dataset.name === way) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  tick();
}

// Both keys are on the page, so turning from in to out needs no network; without them the link simply loads.
page.querySelector(".switch")?.addEventListener("click", (event) => {
  const way = event.target.closest("a")?.dataset.name;
  if (!way || !keyOf(way) || !globalThis.crypto?.subtle) return;
  event.preventDefault();
  turn(way);
});

let lock = null;
const wakeHint = page.querySelector("[data-venue-wake]");
async function keepAwake() {
  if (document.hidden || lock) return;
  try {
    lock = await navigator.wakeLock.request("screen");
    lock.addEventListener("release", () => { lock = null; });
    wakeHint.hidden = true;
  } catch {
    // Battery saving may forbid it, and old browsers cannot: then a person has to keep the screen on.
    wakeHint.hidden = false;
  }
}

const full = page.querySelector("[data-venue-full]");
if (full && document.fullscreenEnabled) {
  full.hidden = false;
  full.addEventListener("click", () => document.documentElement.requestFullscreen());
  document.addEventListener("fullscreenchange", () => { full.hidden = Boolean(document.fullscreenElement); });
}
document.addEventListener("visibilitychange", () => { keepAwake(); tick(); });
setInterval(tick, 1000);
setInterval(askArrivals, LIVE_EVERY_MS);
tick();
askArrivals();
keepAwake();
