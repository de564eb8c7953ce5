// What the station shows of a scan: the whole screen or a strip, the counts, the last five, and how one is taken back.
import { iconNode } from "../server.js";
import { signal } from "../signals.js";
import { clockTime, filled } from "./verdict.js";

const BACK_AFTER_MS = 1500; // a good scan closes itself; every other waits for a tap
const UNDO_SECONDS = 60;
const LINES = 5;

const ICONS = { ok_out: "out", already_out: "out", code_expired: "refresh", code_used: "refresh", server_busy: "refresh", not_on_list: "search" };
const WARNINGS = ["code_expired", "code_used"];

function iconOf({ result, reason, is_kept: isKept }) {
  if (isKept && result === "ok") return "cloud";
  return ICONS[reason] ?? { ok: "check", confirm: "bang", wait: "cloud" }[result] ?? "cross";
}

function familyOf({ result, reason, is_kept: isKept }) {
  if (result === "ok") return isKept ? "ok kept" : "ok";
  if (result === "wait") return "wait";
  return result === "confirm" || WARNINGS.includes(reason) ? "warn" : "no";
}

const nameOf = (verdict) => verdict.person?.display_name ?? "";

export class Screen {
  isRapid = false;
  #closing = null;
  #counting = null;
  #lines = [];

  // words: the station's sentences. onClose(): the camera may go on. reveal(scan's id): the full name, or null.
  constructor({ panel, strip, words, onClose, reveal }) {
    Object.assign(this, { panel, strip, words, onClose, reveal });
    this.lists = document.querySelectorAll("[data-last]");
    for (const name of document.querySelectorAll('[data-slot="name"]')) name.addEventListener("click", () => this.#reveal(name));
    panel.addEventListener("keydown", (event) => { if (event.key === "Escape") this.close(); });
  }

  #slot(name) { return this.#place().querySelector(`[data-slot="${name}"]`); }

  #place() { return this.isRapid ? this.strip : this.panel; }

  get isOpen() { return !this.panel.hidden; }

  get note() { return this.#slot("reason").querySelector("input"); }

  // Names are masked; a tap asks for the full one, which is noted, or without a network shows what tells people of one name apart. Another
  // tap masks it again.
  async #reveal(place) {
    const { name, tail, scan, isShown } = place.dataset;
    this.stay();
    if (isShown) {
      place.textContent = name;
      delete place.dataset.isShown;
      return;
    }
    const full = scan ? await this.reveal(scan) : null;
    // By now another scan may stand there.
    if (place.dataset.scan !== scan || place.dataset.name !== name || !(full || tail)) return;
    place.textContent = full ?? `${name} · ${filled(this.words.tail, { tail })}`;
    place.dataset.isShown = "yes";
  }

  // The page below must not take focus or taps while the result covers it.
  #cover(on) {
    for (const part of document.querySelectorAll("body > :not(script)")) {
      if (!part.contains(this.panel)) part.inert = on;
    }
    for (const part of this.panel.parentElement.children) {
      if (part !== this.panel) part.inert = on;
    }
  }

  close() {
    clearTimeout(this.#closing);
    this.panel.hidden = true;
    this.#cover(false);
    this.onClose();
  }

  // A verdict counts who waits for a place as well: what waits here is told by setWaiting alone.
  setCounts({ waiting: _, ...counts } = {}) { this.#count(counts); }

  setWaiting(waiting) { this.#count({ waiting }); }

  #count(counts) {
    for (const [name, value] of Object.entries(counts)) {
      if (value === undefined || value === null) continue;
      for (const place of document.querySelectorAll(`[data-count="${name}"]`)) place.textContent = value;
    }
  }

  button(label, act, icon = "") {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn";
    if (icon) made.append(iconNode(icon));
    made.append(label);
    made.addEventListener("click", () => act(made));
    return made;
  }

  // Show a verdict with its acts; `tail` are the last digits of the person's number, `scan` its id at the server.
  paint(verdict, acts, { tail = "", scan = verdict.scan_id ?? "" } = {}) {
    clearTimeout(this.#closing);
    clearInterval(this.#counting);
    const place = this.#place();
    place.className = `${this.isRapid ? "strip" : "verdict over"} ${familyOf(verdict)}`;
    this.#slot("title").textContent = verdict.title ?? "";
    const name = this.#slot("name");
    Object.assign(name.dataset, { name: nameOf(verdict), tail, scan });
    delete name.dataset.isShown;
    name.textContent = nameOf(verdict);
    name.hidden = !nameOf(verdict);
    this.#slot("line").textContent = verdict.detail ?? "";
    this.#slot("reason").hidden = !verdict.needs_reason;
    this.#slot("acts").replaceChildren(...acts);
    place.querySelector(".glyph").replaceChildren(iconNode(iconOf(verdict)));
    place.hidden = false;
    if (this.isRapid) return;
    this.#cover(true);
    (acts[0] ?? this.#slot("title")).focus({ preventScroll: true });
  }

  // A good result goes by itself, unless somebody reaches for a button.
  closeSoon() {
    if (this.isRapid) return;
    this.#closing = setTimeout(() => this.close(), BACK_AFTER_MS);
    for (const kind of ["pointerdown", "focusin"]) this.panel.addEventListener(kind, () => clearTimeout(this.#closing), { once: true });
  }

  stay() { clearTimeout(this.#closing); }

  // A button that counts its 60 seconds down and then goes.
  undoButton(until, act) {
    const made = this.button("", act);
    const count = () => {
      const left = Math.min(UNDO_SECONDS, Math.ceil((until - Date.now()) / 1000));
      if (left <= 0) { made.remove(); return; }
      made.replaceChildren(iconNode("undo"), filled(this.words.undo, { seconds: left }));
    };
    count();
    this.#counting = setInterval(count, 1000);
    return made;
  }

  sound(verdict) { signal(verdict.result === "wait" ? "confirm" : verdict.result); }

  // Put a verdict on top of the last five; a tap on it calls again(). Lines of one nonce are one line, told anew.
  remember(nonce, verdict, again = null) {
    const known = this.#lines.find((line) => line.nonce === nonce);
    const line = { nonce, at: known?.at ?? Date.now(), verdict, again };
    this.#lines = known ? this.#lines.map((each) => (each === known ? line : each)) : [line, ...this.#lines].slice(0, LINES);
    for (const list of this.lists) {
      const older = [...list.children].filter((each) => !each.dataset.nonce);
      list.replaceChildren(...[...this.#lines.map((each) => this.#line(each)), ...older].slice(0, LINES));
    }
  }

  // Whether this scan stands among the last five.
  shows(nonce) { return this.#lines.some((line) => line.nonce === nonce); }

  #line({ nonce, at, verdict, again }) {
    const line = document.createElement("li");
    line.dataset.nonce = nonce;
    const row = document.createElement(again ? "button" : "div");
    if (again) {
      row.type = "button";
      row.addEventListener("click", () => again());
    }
    row.className = "recall";
    row.append(iconNode(iconOf(verdict)));
    const isWaiting = verdict.is_kept && verdict.result === "ok";
    for (const text of [clockTime(at), nameOf(verdict) || this.words.unknown, isWaiting ? this.words.waits : verdict.title]) {
      const cell = document.createElement("span");
      cell.textContent = text;
      row.append(cell);
    }
    row.children[1].className = "num";
    line.append(row);
    return line;
  }
}
