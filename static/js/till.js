// The clerk's till: a scanned code goes into the form, the last deals and the day's sum keep themselves fresh.
import "./asking.js";
import { Scanner } from "./scanner.js";
import { signal } from "./signals.js";
import { listen } from "./wedge.js";

const FRESH_MS = 2000; // a member who shows four digits is not kept waiting for the till
const ANSWER_MS = 6000;
const PIN_LENGTH = 6;
const DIGITS = /^77[\d\s-]{16,}$/;
const DIGITS_LENGTH = 18;
const CARD = /(?:^|\/K\/)[A-Z2-7][M-P][A-Z2-7]{32}\/?$/i; // the second letter holds the purpose, as core/codes.py spells it
// A voucher's code as rewards/vouchers.py reads it: it says by itself what is handed over.
const VOUCHER = /^(?:https?:\/\/[^/\s]+\/V\/)?[0-9A-Z](?:[\s-]*[0-9A-Z]){11}\/?$/i;
const OPENS_A_DEAL = /^https?:\/\/[^/]+(\/[RKV]\/[0-9A-Z-]+)\/?$/i;

const deal = () => document.querySelector("form[data-till]");
const field = () => deal()?.querySelector("[data-code-target]");
const isCard = (text) => CARD.test(text.trim());
const isVoucher = (text) => VOUCHER.test(text.normalize("NFKC").trim());
const isGun = () => matchMedia("(pointer: fine)").matches;
let scanner = null;

function toward(place) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  place.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
}

// A card is good with its member's six digits only: the phone is handed over at their field.
function askForPin() {
  const place = deal().querySelector("[data-pin]");
  if (!place) return;
  place.open = true;
  toward(place);
  place.querySelector("input").focus({ preventScroll: true });
}

// Look the deal over, once it is whole; else show what is missing.
function goOn() {
  deal().noValidate = deal().matches("[data-takes-vouchers]") && isVoucher(field().value);
  if (!deal().noValidate && !deal().reportValidity()) return;
  const pin = deal().querySelector("[data-pin] input");
  if (isCard(field().value) && pin && pin.value.length < PIN_LENGTH) {
    askForPin();
    return;
  }
  scanner?.close();
  deal().requestSubmit();
}

function take(text) {
  const own = document.querySelector("[data-scanner-form]");
  if (!field() && own) {
    signal("ok");
    scanner.close();
    own.elements.code.value = text;
    own.submit(); // straight to the server: its submit event is the scanner's own
    return;
  }
  if (!field()) {
    const path = text.match(OPENS_A_DEAL)?.[1];
    if (path && document.querySelector("[data-live]")) location.assign(path);
    return;
  }
  field().value = text;
  signal("ok");
  goOn();
  scanner?.resume(); // what is not chosen yet is chosen now; the code stays in its field
}

function onChange(event) {
  if (event.target.name !== "reward_id" || event.target.hasAttribute("data-by-points") || !field()) return;
  if (!field().value) {
    toward(deal().querySelector("[data-whose]"));
    // A till with a keyboard is ready for its scanner gun at once.
    if (isGun()) field().focus({ preventScroll: true });
  } else if (isCard(field().value)) askForPin();
}

function onInput(event) {
  // Points that are typed choose "by points" by themselves.
  if (event.target.name === "points") {
    const radio = document.querySelector("[data-by-points]");
    if (radio) radio.checked = true;
  }
  // What follows is for a form that shows a look before anything moves.
  if (!deal().matches("[data-takes-vouchers]")) return;
  const pin = deal().querySelector("[data-pin] input");
  if (event.target.name === "code") {
    if (pin) pin.required = isCard(event.target.value);
    deal().noValidate = isVoucher(event.target.value);
  }
  // The last digit is the last act: the member hands the phone back, the clerk looks up.
  const typed = event.target.value;
  const isWhole = event.target.name === "pin" ? typed.length === PIN_LENGTH
    : event.target.name === "code" && DIGITS.test(typed) && typed.replace(/\D/g, "").length === DIGITS_LENGTH;
  if (isWhole && deal().checkValidity()) goOn();
}

// A page that took this one's place after a refusal is at work like one that was opened.
function start() {
  const root = document.querySelector("[data-scanner]");
  scanner?.close();
  scanner = root ? new Scanner(root) : null;
  root?.addEventListener("code", (event) => take(event.detail.text));
  deal()?.addEventListener("change", onChange);
  deal()?.addEventListener("input", onInput);
}

let isAsking = false;
async function refresh() {
  const live = document.querySelector("[data-live]");
  if (!live || document.hidden || isAsking) return;
  isAsking = true;
  const offline = document.querySelector("[data-offline]");
  try {
    const answer = await fetch(live.dataset.live, { headers: { Accept: "text/html" }, credentials: "same-origin", signal: AbortSignal.timeout?.(ANSWER_MS) });
    if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (offline) offline.hidden = true;
    const fresh = page.querySelector("[data-live]");
    // A button that waits for its answer keeps its place, and so does a row that somebody reaches by keyboard.
    const isBusy = live.querySelector("[aria-busy]") || live.querySelector(":focus-visible");
    if (fresh && fresh.textContent !== live.textContent && !isBusy) live.replaceChildren(...fresh.childNodes);
  } catch {
    if (offline) offline.hidden = false;
  } finally {
    isAsking = false;
  }
}

start();
document.addEventListener("swapped", start);
listen(take);
setInterval(refresh, FRESH_MS);
addEventListener("online", refresh);
document.addEventListener("visibilitychange", refresh);
addEventListener("offline", () => {
  const offline = document.querySelector("[data-offline]");
  if (offline) offline.hidden = false;
});
