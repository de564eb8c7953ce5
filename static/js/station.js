// The organizer's station: send each scan once, show the verdict on the whole screen, keep what could not be sent.
import { Scanner } from "./scanner.js";
import { iconNode, newNonce, sendJson } from "./server.js";
import { signal } from "./signals.js";

const BACK_AFTER_MS = 1500; // a good scan closes itself; every other waits for a tap
const TRIES = 3;
const TRY_AGAIN_MS = [0, 800, 2500];
const UNDO_SECONDS = 60;

const panel = document.querySelector("[data-station]");
const words = panel.dataset;
const slot = (name) => panel.querySelector(`[data-slot="${name}"]`);
const scanner = new Scanner(document.querySelector("[data-scanner]"));
const lists = document.querySelectorAll("[data-last]");
const frame = document.querySelectorAll("body > :not(script)");
let closing = null;
let counting = null;
let current = 0; // number of the scan on screen, so that a late answer does not paint over a newer one
let unsent = 0;

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

// The page below must not take focus or taps while the result covers it.
function cover(on) {
  for (const part of frame) {
    if (!part.contains(panel)) part.inert = on;
  }
  for (const part of panel.parentElement.children) {
    if (part !== panel) part.inert = on;
  }
}

function close() {
  clearTimeout(closing);
  clearInterval(counting);
  panel.hidden = true;
  cover(false);
  scanner.resume();
}

function setCount(name, value) {
  if (value === undefined || value === null) return;
  for (const place of document.querySelectorAll(`[data-count="${name}"]`)) place.textContent = value;
}

function showCounts(counts) {
  setCount("waiting", unsent);
  if (!counts) return;
  setCount("arrived", counts.arrived);
  setCount("present", counts.present);
}

function button(label, act, icon) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "btn";
  if (icon) made.append(iconNode(icon));
  made.append(label);
  made.addEventListener("click", () => act(made));
  return made;
}

const ICONS = { ok_out: "out", already_out: "out", code_expired: "refresh", code_used: "refresh", server_busy: "refresh" };
const iconOf = ({ result, reason }) => ICONS[reason] || { ok: "check", confirm: "bang", wait: "cloud" }[result] || "cross";

function familyOf({ result, reason }) {
  if (result === "ok") return "ok";
  if (result === "wait" || reason === "server_busy") return "wait";
  return result === "confirm" || reason === "code_expired" || reason === "code_used" ? "warn" : "no";
}

function personOf(verdict) {
  const person = verdict.person;
  return typeof person === "string" ? person : person?.display_name || person?.name || "";
}

function remember(verdict) {
  const time = new Date().toTimeString().slice(0, 5);
  for (const list of lists) {
    const line = document.createElement("li");
    for (const text of [time, personOf(verdict) || words.wordsUnknown, verdict.title]) {
      const cell = document.createElement("span");
      cell.textContent = text;
      line.append(cell);
    }
    line.firstChild.className = "num";
    line.prepend(iconNode(iconOf(verdict)));
    list.prepend(line);
    while (list.children.length > 5) list.lastChild.remove();
  }
}

function paint(verdict, acts) {
  clearTimeout(closing);
  clearInterval(counting);
  panel.className = `verdict over ${familyOf(verdict)}`;
  slot("title").textContent = verdict.title || "";
  slot("name").textContent = personOf(verdict);
  slot("line").textContent = verdict.detail || "";
  slot("reason").hidden = !verdict.needs_reason;
  slot("acts").replaceChildren(...acts);
  panel.querySelector(".glyph").replaceChildren(iconNode(iconOf(verdict)));
  panel.hidden = false;
  scanner.pause();
  cover(true);
  acts[0]?.focus({ preventScroll: true });
}

// Undo stays open for 60 s by the server's clock; the button counts them down.
function undoButton(verdict) {
  const made = button("", async () => {
    made.disabled = true;
    clearTimeout(closing);
    const answer = await sendJson(words.undo.replace("{scan_id}", encodeURIComponent(verdict.scan_id))).catch(() => null);
    const done = answer?.status === 200;
    const after = { result: done ? "confirm" : "refuse", title: done ? words.wordsUndone : words.wordsNotUndone, person: verdict.person, detail: answer?.data.detail };
    remember(after);
    showCounts(answer?.data.counts);
    paint(after, [button(words.wordsBack, close)]);
  });
  const span = verdict.server_time ? (Date.parse(verdict.undo_until) - Date.parse(verdict.server_time)) / 1000 : UNDO_SECONDS;
  const until = Date.now() + span * 1000;
  const count = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    if (left <= 0) { made.remove(); return; }
    made.replaceChildren(iconNode("undo"), words.wordsUndo.replace("{seconds}", left));
  };
  count();
  counting = setInterval(count, 1000);
  return made;
}

function show(verdict, scan) {
  showCounts(verdict.counts);
  remember(verdict);
  signal(verdict.result);
  const back = button(words.wordsAgain, close);
  if (verdict.result === "confirm") {
    const label = typeof verdict.action === "string" && verdict.action ? verdict.action : words.wordsConfirm;
    // A second nonce: this is a new decision of the organizer, not the same scan resent.
    const insist = button(label, () => confirmScan(verdict, scan));
    paint(verdict, verdict.may_confirm === false ? [back] : [insist, back]);
  } else if (verdict.result === "ok") {
    paint(verdict, []);
    const acts = [button(words.wordsBack, close)];
    if (verdict.scan_id && verdict.undo_until) acts.unshift(undoButton(verdict));
    slot("acts").replaceChildren(...acts);
    closing = setTimeout(close, BACK_AFTER_MS);
    // Whoever reaches for a button must not see it vanish under the finger.
    for (const kind of ["pointerdown", "focusin"]) panel.addEventListener(kind, () => clearTimeout(closing), { once: true });
  } else {
    paint(verdict, [back]);
  }
}

function confirmScan(verdict, scan) {
  const reason = slot("reason").querySelector("input");
  if (verdict.needs_reason && !reason.value.trim()) {
    reason.setAttribute("aria-invalid", "true");
    reason.focus();
    return;
  }
  reason.removeAttribute("aria-invalid");
  const again = { ...scan, nonce: newNonce(), confirm: true };
  if (verdict.direction) again.direction = verdict.direction;
  if (verdict.needs_reason) again.note = reason.value.trim();
  reason.value = "";
  send(again);
}

// Send one scan. The same nonce goes with every try, so the server counts it once however often it arrives.
async function send(scan) {
  const mine = ++current;
  paint({ result: "wait", title: words.wordsSending, detail: "" }, []);
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    await pause(TRY_AGAIN_MS[attempt]);
    let answer;
    try {
      answer = await sendJson(words.scans, scan);
    } catch {
      continue; // no answer: perhaps it arrived, perhaps not; the nonce makes asking again safe
    }
    if (answer.status >= 500) continue;
    if (mine !== current) return;
    if (answer.status === 200) show(answer.data, scan);
    else show({ result: "refuse", title: words.wordsRefused, detail: answer.status === 401 ? words.wordsSignedOut : answer.data.detail }, scan);
    return;
  }
  if (mine === current) notSent(scan);
}

function notSent(scan) {
  unsent = 1;
  showCounts(null);
  signal("confirm");
  const state = { result: "wait", title: words.wordsUnsent, detail: words.wordsUnsentWhy };
  paint(state, [button(words.wordsRetry, () => { unsent = 0; showCounts(null); send(scan); }, "refresh")]);
}

addEventListener("beforeunload", (event) => { if (unsent) event.preventDefault(); });
scanner.root.addEventListener("code", (event) => {
  if (!panel.hidden) return;
  send({ nonce: newNonce(), code: event.detail.text, shift_id: Number(words.shift), direction: words.direction, scanned_at: new Date().toISOString() });
});
