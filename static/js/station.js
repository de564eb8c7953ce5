// The organizer's station: each scan is asked of the server, or judged here where there is no network; nothing is lost either way.
import { Scanner } from "./scanner.js";
import { iconNode, newNonce } from "./server.js";
import { ask, probe } from "./station/asking.js";
import { Line } from "./station/line.js";
import { Screen } from "./station/screen.js";
import { clockTime, filled, unjudged, verdictOf } from "./station/verdict.js";
import { listen } from "./wedge.js";

const SCAN_LIMIT_MS = 3000; // nobody stands longer before a screen that says nothing
const FETCH_LIMIT_MS = 15_000;
const REFRESH_MS = 5 * 60_000;
const PROBE_MS = 5000;
const UNDO_MS = 60_000;
const DEVICE = "pointsbank-device";
const RAPID = "pointsbank-rapid";
const EXPIRES = "pointsbank-station-until"; // read by page.js, which clears what ran out
const LEAVING = "pointsbank-station-leaving";

const panel = document.querySelector("[data-station]");
const words = JSON.parse(panel.dataset.words);
const shiftId = Number(panel.dataset.shift || location.pathname.match(/\/shifts\/(\d+)\/station$/)?.[1]);
const links = {
  scan: "/api/v1/scans", batch: "/api/v1/scans/batch", undo: "/api/v1/scans/{scan_id}/undo", name: "/api/v1/scans/{scan_id}/name",
  snapshot: `/api/v1/shifts/${shiftId}/station`, health: "/healthz",
};
const place = (name) => document.querySelector(`[data-${name}]`);

const line = new Line(() => showState());
const scanner = new Scanner(place("scanner"));
let begin;
const begun = new Promise((resolve) => { begin = resolve; });
// What is typed or scanned while the store still opens waits for it: the scanner has emptied its field by then.
scanner.root.addEventListener("code", async ({ detail }) => { await begun; take(detail.text, detail.seenAt); });
const screen = new Screen({ panel, strip: place("strip"), words, onClose: () => scanner.resume(), reveal });
let offline = null; // offline.js, once it is here
let store = null;
let queue = null;
let roster = null;
let effects = [];
let actor = panel.dataset.actor;
let direction = panel.dataset.direction || new URLSearchParams(location.search).get("direction") || "in";
let current = 0; // number of the scan on screen, so that a late answer does not paint over a newer one
let differing = 0;
let fetchedAt = 0;
const uploaded = new Map(); // ids of scans that waited here and were taken

function remembered(name, make) {
  try {
    if (make && !localStorage.getItem(name)) localStorage.setItem(name, make());
    return localStorage.getItem(name);
  } catch {
    return make ? make() : null; // private windows of some browsers keep nothing
  }
}
function remember(name, value) {
  try { localStorage.setItem(name, value); } catch { /* the choice holds for this page then */ }
}
const device = remembered(DEVICE, newNonce);

// ---- the list that is taken along

const snapshotKept = () => store.get("snapshots", shiftId);

function build(kept) {
  const made = new offline.Roster(kept.snapshot, kept.offset_ms);
  for (const effect of effects) if (!effect.undone) made.apply(effect);
  return made;
}

async function useKept() {
  const kept = await snapshotKept();
  if (!kept || !offline.isSnapshot(kept.snapshot)) return;
  if (kept.expires_at <= Date.now() + kept.offset_ms) {
    await store.remove("snapshots", shiftId);
    return;
  }
  effects = (await store.all("effects")).filter((effect) => effect.shift_id === shiftId).sort((one, other) => one.place - other.place);
  roster = build(kept);
  fetchedAt = kept.fetched_at;
  actor ||= kept.snapshot.actor;
  const title = document.querySelector(".top .title");
  if (title && !title.textContent.trim()) title.textContent = roster.shift.title;
}

async function fetchSnapshot() {
  const began = Date.now();
  const answer = await ask(links.snapshot, { device_id: device }, FETCH_LIMIT_MS);
  if (answer.data?.code === "station_over" || answer.data?.code === "shift_not_found" || answer.kind === "not_allowed") {
    await store.remove("snapshots", shiftId);
    roster = null;
    showState();
  }
  if (answer.kind !== "ok" || !offline.isSnapshot(answer.data)) return;
  if (document.documentElement.dataset.leaving) return; // what leaving cleared stays cleared
  const snapshot = answer.data;
  const offset = Date.parse(snapshot.server_time) - (began + Date.now()) / 2;
  const kept = { shift_id: shiftId, snapshot, offset_ms: offset, fetched_at: Date.now(), expires_at: Date.parse(snapshot.expires_at) };
  // Said first: whatever stands in the store is sure to be cleared.
  remember(EXPIRES, String(kept.expires_at));
  remember(LEAVING, words.leaving);
  await store.put("snapshots", kept);
  await queue.load();
  const waiting = new Set(queue.items.map((item) => item.nonce));
  // What the server knew when it answered stands in the list; what waits, or happened since, does not yet.
  for (const effect of effects) if (effect.place < began && !waiting.has(effect.nonce)) await store.remove("effects", effect.nonce);
  effects = effects.filter((effect) => effect.place >= began || waiting.has(effect.nonce));
  actor = snapshot.actor;
  roster = build(kept);
  fetchedAt = kept.fetched_at;
  showState();
}

async function happen(nonce, act, id, at, by, name) {
  if (act === "none" || !id || !roster) return;
  const effect = { nonce, shift_id: shiftId, place: Date.now(), act, id, at, by, name };
  effects.push(effect);
  roster.apply(effect);
  await store.put("effects", effect);
}

async function unhappen(nonce) {
  const effect = effects.find((each) => each.nonce === nonce);
  if (!effect || !roster) return;
  effect.undone = true;
  await store.put("effects", effect);
  const kept = await snapshotKept();
  if (kept) roster = build(kept);
}

// ---- what is said about network, list and upload

function say(name, text) {
  const note = place(name);
  note.hidden = !text;
  if (note.textContent !== text) note.textContent = text;
}

function showState() {
  const { waiting, trouble } = queue;
  screen.setWaiting(waiting);
  const mode = line.isByHand ? "by_hand" : line.isOffline ? "offline" : "quick";
  const list = roster ? filled(words.list_ready, { people: roster.size, time: clockTime(fetchedAt) }) : words.list_missing;
  place("line").dataset.line = mode;
  say("line-words", words.modes[mode]);
  say("list-words", list);
  say("waiting-words", waiting ? filled(words.waiting, { waiting }) : "");
  const turn = place("line-switch");
  turn.hidden = false;
  turn.textContent = line.isOffline ? words.go_quick : words.go_offline;
  say("store-trouble", store.trouble ? words.store[store.trouble] : "");
  say("upload-trouble", waiting && trouble && trouble !== "none" ? filled(words.upload[trouble] ?? words.upload.busy, { waiting }) : "");
  place("upload-now").hidden = !waiting;
  say("foreign", queue.foreign ? filled(words.foreign, { waiting: queue.foreign }) : "");
  showDiffering();
  showRefused();
}

function linkTo(path, label) {
  const link = document.createElement("a");
  link.href = `/shifts/${shiftId}/${path}`;
  link.append(label);
  return link;
}

function showDiffering() {
  const note = place("differing");
  const text = differing ? filled(words.differing, { number: differing }) : "";
  note.hidden = !text;
  if (note.dataset.said === text) return;
  note.dataset.said = text;
  note.replaceChildren(`${text} `, linkTo("differences", words.settle_them));
}

// A page that was kept on this device names no shift: its way to the list is made here.
function showWayToList() {
  const empty = document.querySelector(".top span.top-link");
  if (!empty) return;
  const link = linkTo("attendance", words.list);
  link.className = "top-link";
  link.prepend(iconNode("people"));
  empty.replaceWith(link);
}

function showRefused() {
  place("refused").replaceChildren(...queue.refused.map((item) => {
    const note = document.createElement("div");
    note.className = "note bad gap-s";
    note.append(`${item.name || words.unknown} · ${item.said || words.refused}`);
    note.append(screen.button(words.read, () => queue.dismiss(item.nonce)));
    return note;
  }));
}

// ---- one scan

async function take(text, seenAt = performance.now()) {
  if (screen.isOpen) screen.close();
  const at = roster ? roster.now() : Date.now();
  const scan = { nonce: newNonce(), code: text, shift_id: shiftId, direction, scanned_at: new Date(at).toISOString(), device_id: device };
  await handle(scan, { seenAt });
}

// local: {seenAt, vouched}: what this device needs to know and the server does not.
async function handle(scan, local) {
  const mine = ++current;
  if (line.isOffline) return judgeHere(scan, local, mine, false);
  if (!screen.isRapid) {
    screen.paint({ result: "wait", title: words.sending, detail: "" }, []);
    scanner.pause();
  }
  const answer = await ask(links.scan, scan, SCAN_LIMIT_MS);
  if (answer.kind === "invalid") {
    const refused = { result: "refuse", reason: "invalid", title: words.refused, detail: answer.data.detail };
    return show(scan, refused, { ...local, mine });
  }
  line.note(answer.kind === "ok" ? answer.ms : null);
  if (answer.kind === "ok" && answer.data.result) return serverSaid(scan, answer.data, { ...local, mine });
  if (answer.kind !== "none") queue.trouble = answer.kind === "ok" ? "strange" : answer.kind;
  return judgeHere(scan, local, mine, true);
}

const ACTS = { ok_in: "check_in", ok_out: "check_out", waitlisted: "wait" };

async function serverSaid(scan, verdict, local) {
  show(scan, verdict, local);
  if (!roster || verdict.result !== "ok" || !ACTS[verdict.reason]) return;
  const found = await roster.recognise(scan.code, roster.now());
  const isWalkIn = verdict.flags?.includes("walk_in");
  const act = isWalkIn && verdict.reason === "ok_in" ? "join" : ACTS[verdict.reason];
  await happen(scan.nonce, act, found.id, Date.parse(verdict.at ?? scan.scanned_at), words.here, verdict.person?.display_name);
}

// The network is gone or too slow: this device judges, and keeps the scan under the nonce that it went out with.
async function judgeHere(scan, local, mine, isSlow) {
  const at = Date.parse(scan.scanned_at);
  const waiting = queue.waiting + 1;
  const item = { nonce: scan.nonce, shift_id: shiftId, scan: { ...scan, offline: true }, name: "" };
  if (!roster) {
    await queue.add(item);
    return show(scan, unjudged({ words, waiting, at }), { ...local, mine, isHere: true });
  }
  const judged = await roster.judge({ ...scan, vouched: local.vouched }, at);
  const { judgement, found, person } = judged;
  const deviceVerdict = { result: judgement.result, reason: judgement.reason, direction: judgement.direction };
  item.verdict = deviceVerdict;
  item.name = person?.name ?? "";
  if (local.vouched && !person?.isListed && judgement.act === "check_in") item.follow = "not_claimed";
  else item.scan.device_verdict = deviceVerdict;
  await happen(scan.nonce, judgement.act, found.id, at, words.here, item.name);
  const verdict = verdictOf({ ...judged, person: roster.people.get(found.id) ?? null, roster, words, at, waiting, isSlow });
  // What nobody here can check is a question to the lead and no scan yet: the server would act on it unasked.
  if (judgement.reason !== "not_on_list") await queue.add(item);
  show(scan, verdict, { ...local, mine, isHere: true, tail: person?.tail });
  if (!line.isOffline || isSlow) queue.upload();
}

function show(scan, verdict, local) {
  screen.setCounts(verdict.counts ?? {});
  const again = () => open(scan, verdict, local);
  screen.remember(scan.nonce, verdict, again);
  screen.sound(verdict);
  if (local.mine === current) open(scan, verdict, local);
  if (local.seenAt !== undefined) {
    const took = performance.now() - local.seenAt;
    panel.dataset.took = took.toFixed(1);
    performance.measure("frame to verdict", { start: local.seenAt, end: performance.now() });
  }
}

function open(scan, verdict, local) {
  if (!screen.isRapid) scanner.pause();
  const tail = local.tail ?? tailOf(verdict);
  const back = screen.button(verdict.result === "ok" ? words.back : words.again, () => screen.close());
  if (verdict.result === "ok" && verdict.reason !== "repeat_just_now") {
    local.undoUntil ??= Date.now() + UNDO_MS;
    const canUndo = Date.now() < local.undoUntil && !local.isUndone && (local.isHere || verdict.undo_until);
    screen.paint(verdict, canUndo ? [screen.undoButton(local.undoUntil, (made) => undo(scan, verdict, local, made)), back] : [back], { tail });
    screen.closeSoon();
  } else if (verdict.result === "ok" || verdict.result === "wait") {
    screen.paint(verdict, [back], { tail });
    if (verdict.result === "ok") screen.closeSoon();
  } else if (verdict.result === "confirm" && verdict.may_confirm && !local.isDone) {
    screen.paint(verdict, [screen.button(verdict.action || words.confirm, () => insist(scan, verdict, local)), back], { tail });
  } else {
    screen.paint(verdict, [back], { tail });
  }
}

async function reveal(scanId) {
  const answer = await ask(links.name.replace("{scan_id}", encodeURIComponent(scanId)), {}, SCAN_LIMIT_MS);
  return answer.kind === "ok" ? answer.data.name : null;
}

// The last digits of a number, where exactly one person of the list bears this masked name.
function tailOf(verdict) {
  if (!roster || !verdict.person) return "";
  const found = [...roster.people.values()].filter((person) => person.name === verdict.person.display_name);
  return found.length === 1 ? found[0].tail : "";
}

function insist(scan, verdict, local) {
  const { note } = screen;
  if (verdict.needs_reason && !note.value.trim()) {
    note.setAttribute("aria-invalid", "true");
    note.focus();
    return;
  }
  note.removeAttribute("aria-invalid");
  local.isDone = true;
  // A second nonce: this is a new decision of the lead, not the same scan resent.
  const again = { ...scan, nonce: newNonce(), direction: verdict.direction ?? scan.direction };
  if (verdict.needs_reason) again.note = note.value.trim();
  note.value = "";
  if (verdict.reason === "not_on_list") return handleHere(again);
  handle({ ...again, confirm: true }, { vouched: local.vouched });
}

// What only this device asked is answered here; the server judges it when it comes.
function handleHere(scan) {
  return judgeHere(scan, { vouched: true }, ++current, false);
}

async function undo(scan, verdict, local, made) {
  made.disabled = true;
  screen.stay();
  let after = null;
  if (await queue.undo(scan.nonce)) after = { result: "confirm", title: words.undone, detail: words.undone_here };
  else {
    const answer = await ask(links.undo.replace("{scan_id}", encodeURIComponent(verdict.scan_id ?? uploaded.get(scan.nonce))), {}, SCAN_LIMIT_MS);
    const isDone = answer.kind === "ok";
    after = { result: isDone ? "confirm" : "refuse", title: isDone ? words.undone : words.not_undone, detail: answer.data?.detail ?? words.no_answer };
    if (isDone) screen.setCounts(answer.data.counts ?? {});
  }
  if (after.result === "confirm") {
    local.isUndone = true;
    await unhappen(scan.nonce);
    if (line.isOffline && roster) screen.setCounts(roster.counts);
  }
  const told = { ...after, reason: "undone", person: verdict.person };
  screen.remember(scan.nonce, told);
  screen.paint(told, [screen.button(words.back, () => screen.close())]);
}

// The server judged a scan that had waited here.
function answered(item, verdict) {
  uploaded.set(item.nonce, verdict.scan_id);
  const isSame = !item.verdict || item.verdict.result === verdict.result;
  if (item.follow && verdict.reason === item.follow) return;
  if (!isSame) differing += 1;
  if (item.shift_id === shiftId) screen.setCounts(verdict.counts ?? {});
  if (screen.shows(item.nonce)) screen.remember(item.nonce, verdict);
}

// ---- what happens around

function turn(way) {
  direction = way;
  for (const link of document.querySelectorAll("[data-directions] a")) {
    if (link.dataset.name === way) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  history.replaceState(null, "", `?direction=${way}`);
  const field = place("scanner-form").querySelector('input[name="direction"]');
  if (field) field.value = way;
}

function setRapid(isRapid) {
  if (screen.isOpen) screen.close();
  screen.isRapid = isRapid;
  place("rapid").checked = isRapid;
  place("strip").hidden = true;
  remember(RAPID, isRapid ? "yes" : "");
}

async function probeOften() {
  if (line.isOffline && !line.isByHand) {
    const good = line.probe(await probe(links.health, SCAN_LIMIT_MS));
    if (!line.isOffline) back();
    setTimeout(probeOften, good ? 1000 : PROBE_MS);
    return;
  }
  setTimeout(probeOften, PROBE_MS);
}

function back() {
  queue.hurry();
  if (Date.now() - fetchedAt > REFRESH_MS || !roster) fetchSnapshot();
}

let lock = null;
async function keepAwake() {
  if (document.hidden || lock) return;
  lock = await navigator.wakeLock?.request("screen").catch(() => null);
  lock?.addEventListener("release", () => { lock = null; });
}

function wire() {
  document.querySelector("[data-directions]").addEventListener("click", (event) => {
    const way = event.target.closest("a")?.dataset.name;
    if (!way) return;
    event.preventDefault();
    turn(way);
  });
  place("line-switch").addEventListener("click", () => {
    line.hold(!line.isOffline);
    if (!line.isOffline) back();
  });
  place("upload-now").addEventListener("click", () => queue.hurry());
  place("rapid").addEventListener("change", (event) => setRapid(event.target.checked));
  listen((text) => take(text));
  addEventListener("offline", () => line.cut());
  addEventListener("online", () => { probe(links.health, SCAN_LIMIT_MS).then((ms) => { line.probe(ms); queue.hurry(); }); });
  document.addEventListener("visibilitychange", keepAwake);
  setInterval(() => { if (!document.hidden && !line.isOffline) fetchSnapshot(); }, REFRESH_MS);
}

async function keepShell() {
  if (!navigator.serviceWorker) return;
  const registration = await navigator.serviceWorker.register("/shifts/station-worker.js", { scope: "/shifts/" }).catch(() => null);
  const worker = registration?.active ?? registration?.waiting ?? registration?.installing;
  worker?.postMessage("keep");
}

// Without a network and without a shift in the address: the lists on board are what there is to choose from.
async function choose() {
  const kept = (await store.all("snapshots")).filter((each) => each.expires_at > Date.now());
  place("choose").hidden = false;
  place("no-choice").hidden = kept.length > 0;
  place("choices").append(...kept.map(({ shift_id: id, snapshot }) => {
    const link = document.createElement("a");
    link.href = `/shifts/${id}/station`;
    link.className = "btn";
    link.textContent = `${clockTime(Date.parse(snapshot.shift.starts_at))} ${snapshot.shift.title}`;
    const row = document.createElement("li");
    row.append(link);
    return row;
  }));
}

async function start() {
  offline = await import("./station/offline.js");
  store = new offline.Store();
  queue = new offline.Queue({ store, ask, links, actor: () => actor, onChange: () => showState(), onAnswer: answered });
  await store.open();
  if (!shiftId) {
    await choose();
    return;
  }
  place("scanning").hidden = false;
  showWayToList();
  await useKept();
  await queue.load();
  if (!navigator.onLine) line.cut();
  turn(direction);
  setRapid(remembered(RAPID) === "yes");
  wire();
  showState();
  if (roster && line.isOffline) screen.setCounts(roster.counts);
  panel.dataset.ready = "yes";
  begin();
  keepAwake();
  keepShell();
  probeOften();
  if (!line.isOffline) await fetchSnapshot();
  queue.upload();
}

start();
