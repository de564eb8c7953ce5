// Scans that wait for the server. One leaves only when the server answered for its nonce; whatever else comes keeps it here and is said.
// item: {nonce, place, scan, actor, name, shift_id, verdict, state: waiting | refused, undone, scan_id, said}.
import { newNonce } from "../server.js";

const BATCH_MAX = 20;
const LIMIT_MS = 20_000;
const AGAIN_MS = { least: 2000, most: 60_000 };
const LOCK = "pointsbank-station-upload";
const LEASE_MS = 30_000;
const CHANNEL = "pointsbank-station";

// Scans go in their order: one that was taken back goes by itself, and one that may need a second word ends a batch.
function batchOf(items) {
  const undone = items.findIndex((item) => item.undone);
  const asking = items.findIndex((item) => item.follow);
  const ends = [BATCH_MAX, undone === -1 ? BATCH_MAX : undone, asking === -1 ? BATCH_MAX : asking + 1];
  return items.slice(0, Math.min(...ends));
}

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

export class Queue {
  // trouble: why nothing goes out at present (a kind of asking.js), or null.
  trouble = null;
  items = [];
  #wait = AGAIN_MS.least;
  #timer = null;
  #isAlone = false;
  #holder = newNonce();

  // ask: as in asking.js. actor(): whose station this is. onChange(): something changed. onAnswer(item, verdict): the server judged one.
  constructor({ store, ask, links, actor, onChange, onAnswer }) {
    Object.assign(this, { store, ask, links, actor, onChange, onAnswer });
    this.channel = globalThis.BroadcastChannel ? new BroadcastChannel(CHANNEL) : null;
    this.channel?.addEventListener("message", () => this.load());
  }

  async load() {
    this.items = (await this.store.all("queue")).sort((one, other) => one.place - other.place);
    this.onChange();
  }

  get mine() { return this.items.filter((item) => item.actor === this.actor()); }

  // How many wait, of this person and of others who used this device.
  get waiting() { return this.mine.length; }

  get foreign() { return this.items.length - this.mine.length; }

  get refused() { return this.mine.filter((item) => item.state === "refused"); }

  async #changed() {
    await this.load();
    this.channel?.postMessage("changed");
  }

  async add(item) {
    const place = Math.max(Date.now(), (this.items.at(-1)?.place ?? 0) + 1);
    const kept = { ...item, place, actor: this.actor(), state: "waiting" };
    await this.store.put("queue", kept);
    // To read all that waits again would cost a slow phone more with each person.
    if (!this.items.some((each) => each.nonce === kept.nonce)) this.items = [...this.items, kept];
    this.onChange();
    this.channel?.postMessage("changed");
  }

  // Take back one that still waits; false when it is not here any more.
  async undo(nonce) {
    const item = await this.store.get("queue", nonce);
    if (!item) return false;
    await this.store.put("queue", { ...item, undone: true });
    await this.#changed();
    return true;
  }

  // The lead has read what the server refused, and lets it go.
  async dismiss(nonce) {
    await this.store.remove("queue", nonce);
    await this.#changed();
  }

  // Upload now, by itself and only here; a failure waits, twice as long each time.
  async upload() {
    clearTimeout(this.#timer);
    if (this.#isAlone || !this.mine.some((item) => item.state === "waiting")) return;
    this.#isAlone = true;
    try {
      await this.#exclusively(() => this.#drain());
    } finally {
      this.#isAlone = false;
    }
    if (this.mine.some((item) => item.state === "waiting")) this.#again();
  }

  // The network is back, or somebody pressed the button: do not wait any longer.
  hurry() {
    this.#wait = AGAIN_MS.least;
    return this.upload();
  }

  #again() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.upload(), this.#wait * (0.75 + Math.random() / 2));
    this.#wait = Math.min(this.#wait * 2, AGAIN_MS.most);
  }

  // Two pages of one device share the queue: one of them uploads.
  async #exclusively(act) {
    if (navigator.locks) return navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => (lock ? act() : null));
    return (await this.store.lease(LOCK, this.#holder, LEASE_MS)) ? act() : null;
  }

  async #drain() {
    for (;;) {
      await this.load();
      const next = this.mine.filter((item) => item.state === "waiting");
      if (!next.length) return;
      const batch = batchOf(next);
      const isOut = batch.length ? await this.#send(batch) : await this.#sendUndone(next[0]);
      this.onChange();
      if (!isOut) return;
      this.#wait = AGAIN_MS.least;
      await pause(0);
    }
  }

  #stopped(kind) {
    this.trouble = kind;
    return false;
  }

  async #send(batch) {
    const answer = await this.ask(this.links.batch, { scans: batch.map((item) => item.scan) }, LIMIT_MS);
    if (answer.kind === "invalid") {
      if (batch.length > 1) return this.#oneByOne(batch);
      await this.#refuse(batch[0], answer.data.detail);
      return true;
    }
    if (answer.kind !== "ok") return this.#stopped(answer.kind);
    const verdicts = new Map((Array.isArray(answer.data.verdicts) ? answer.data.verdicts : []).map((each) => [each?.nonce, each]));
    let answered = 0;
    for (const item of batch) {
      const verdict = verdicts.get(item.nonce);
      if (!verdict?.result) continue;
      answered += 1;
      await this.#answered(item, verdict);
    }
    await this.#changed();
    if (!answered) return this.#stopped("strange");
    this.trouble = null;
    return true;
  }

  // One of several is what the server will never take: find it, so that the others go on.
  async #oneByOne(batch) {
    for (const item of batch) {
      if (!await this.#send([item])) return false;
    }
    return true;
  }

  async #answered(item, verdict) {
    const now = await this.store.get("queue", item.nonce);
    const isAsked = item.follow && verdict.reason === item.follow && verdict.may_confirm;
    if (item.follow && !isAsked && verdict.result !== "ok") {
      await this.#tell(now ?? item);
      return;
    }
    this.onAnswer(item, verdict);
    if (now?.undone && verdict.undo_until) {
      await this.store.put("queue", { ...now, scan_id: verdict.scan_id });
      return;
    }
    if (isAsked) await this.#follow(item);
    await this.store.remove("queue", item.nonce);
  }

  // The server asks something else than the lead has answered: sent once more under its nonce, it learns what was shown here, for the list of differences.
  async #tell(item) {
    await this.store.put("queue", { ...item, scan: { ...item.scan, device_verdict: item.verdict }, follow: null });
  }

  // The lead took somebody in whom no list here named; the server asks whether to add them, and that was said already.
  async #follow(item) {
    const nonce = newNonce();
    const scan = { ...item.scan, nonce, confirm: true, device_verdict: item.verdict };
    await this.store.put("queue", { ...item, nonce, scan, follow: null, place: item.place + 0.5 });
  }

  async #refuse(item, said) {
    await this.store.put("queue", { ...item, state: "refused", said: said ?? "" });
    await this.#changed();
  }

  // What was taken back here is still sent, so that it stands on record, and then taken back there.
  async #sendUndone(item) {
    let { scan_id: scanId } = item;
    if (!scanId) {
      const answer = await this.ask(this.links.batch, { scans: [item.scan] }, LIMIT_MS);
      if (answer.kind === "invalid") {
        await this.#refuse(item, answer.data.detail);
        return true;
      }
      const verdict = answer.data?.verdicts?.find?.((each) => each?.nonce === item.nonce);
      if (answer.kind !== "ok" || !verdict?.scan_id) return this.#stopped(answer.kind === "ok" ? "strange" : answer.kind);
      scanId = verdict.scan_id;
      await this.store.put("queue", { ...item, scan_id: scanId });
      // What the server never took needs no taking back.
      if (!verdict.undo_until) return this.#gone(item);
    }
    const answer = await this.ask(this.links.undo.replace("{scan_id}", encodeURIComponent(scanId)), {}, LIMIT_MS);
    if (answer.kind === "ok") return this.#gone(item);
    if (answer.data?.code === "undo_too_late" || answer.data?.code === "cannot_undo" || answer.kind === "invalid") {
      await this.#refuse({ ...item, scan_id: scanId }, answer.data.detail);
      return true;
    }
    return this.#stopped(answer.kind);
  }

  async #gone(item) {
    this.trouble = null;
    await this.store.remove("queue", item.nonce);
    await this.#changed();
    return true;
  }
}
