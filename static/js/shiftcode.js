// My code for one shift: a new one every 30 s, computed here, with or without a network, also after the page was loaded anew without one.
import { drawCode, setRing } from "./qrcode.js";
import { STEP_SECONDS, personalCode, signingKey, stepAt } from "./personalcode.js";
import { iconNode, readJson } from "./server.js";
import { keepCodes, keepPage, keptCodes } from "./owncodes.js";

const SKEW_TOLD_MS = 90_000; // as the server's CLOCK_SKEW_SECONDS
const page = document.querySelector("#shift-code");
const card = page.querySelector("[data-code-card]");
const ring = page.querySelector("[data-ring]");
const trouble = page.querySelector("[data-code-problem]");
const data = page.dataset;
const slot = (name) => page.querySelector(`[data-slot=${name}]`);
// WebCrypto exists only on secure origins; elsewhere the server is asked for each code.
const canCompute = Boolean(globalThis.crypto?.subtle);

let code = null; // what the shown code is made of
let shown = 0;

// The phone's clock may be wrong; the step goes by the server's.
const serverNow = () => Date.now() + code.offset;

function say(words) {
  trouble.hidden = !words;
  trouble.textContent = words || "";
  card.classList.toggle("stale", Boolean(words));
}

async function codeUrl(step) {
  if (canCompute) return code.urlPrefix + (await personalCode(code, step));
  const { items } = await readJson(data.api);
  return items.find((one) => one.shift.id === code.id).url;
}

async function tick() {
  const now = serverNow();
  if (now >= code.until) {
    code.key = null;
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

// The codes that came with the page. The keys leave the page once they are read: what stands in it can be saved with it.
async function arrived() {
  const codes = JSON.parse(data.codes);
  delete data.codes;
  const offset = Number(data.now) - Date.now();
  return Promise.all(codes.map(async (one, order) => ({
    ...one, order, offset, urlPrefix: data.urlPrefix, key: canCompute ? await signingKey(one.key) : "",
  })));
}

// Fill the kept page, which knows nobody, with what this phone kept.
function fill(codes) {
  for (const name of ["name", "number", "when", "where"]) slot(name).textContent = code[name];
  for (const other of codes) {
    if (other === code) continue;
    const link = document.createElement("a");
    link.className = "link";
    link.href = `?shift=${other.id}`;
    link.append(iconNode("clock"), other.label);
    const row = document.createElement("p");
    row.className = "gap-s";
    row.append(link);
    slot("others").append(row);
  }
}

async function start() {
  const isKept = !data.codes;
  const codes = isKept ? await keptCodes().catch(() => []) : await arrived();
  const wanted = new URLSearchParams(location.search).get("shift");
  code = codes.find((one) => String(one.id) === wanted) ?? codes[0];
  if (isKept) {
    page.querySelector(code ? "[data-kept]" : "[data-none]").hidden = false;
    if (!code) return;
    fill(codes);
  } else {
    shown = stepAt(Number(data.now));
  }
  page.querySelector("[data-clock-wrong]").hidden = Math.abs(code.offset) <= SKEW_TOLD_MS;
  document.addEventListener("visibilitychange", tick);
  setInterval(tick, 1000);
  tick();
  // A browser that keeps nothing still shows codes while the page stays open.
  if (!isKept && canCompute) await keepCodes(codes).then(keepPage).catch(() => {});
}

start();
