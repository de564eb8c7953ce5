// What the station keeps on this device, in IndexedDB: snapshots, scans that wait, what happened here. Where the device has no room or
// no such store, everything goes on in this page's memory, and `trouble` says so.

const NAME = "pointsbank-station";
const VERSION = 1;
const STORES = { snapshots: "shift_id", queue: "nonce", effects: "nonce", leases: "name" };
const PATIENCE_MS = 2000; // a store that hangs must not hold up the next person

const asked = (request) => new Promise((done, failed) => {
  request.onsuccess = () => done(request.result);
  request.onerror = () => failed(request.error);
});

const ended = (transaction) => new Promise((done, failed) => {
  transaction.oncomplete = () => done();
  transaction.onabort = () => failed(transaction.error ?? new Error("aborted"));
});

const bounded = (promise) => Promise.race([promise, new Promise((_, failed) => { setTimeout(() => failed(new Error("no answer")), PATIENCE_MS); })]);

function opened() {
  const request = indexedDB.open(NAME, VERSION);
  request.onupgradeneeded = () => {
    for (const [name, keyPath] of Object.entries(STORES)) request.result.createObjectStore(name, { keyPath });
  };
  return asked(request);
}

export class Store {
  // trouble: null, "missing" (no such store here) or "full" (it took no more).
  trouble = null;
  #database = null;
  #loose = Object.fromEntries(Object.keys(STORES).map((name) => [name, new Map()]));

  async open() {
    try {
      this.#database = await bounded(opened());
      // Another tab may hold a newer program: let it change the store.
      this.#database.onversionchange = () => this.#database.close();
      await navigator.storage?.persist?.();
    } catch {
      this.trouble = "missing";
    }
  }

  async #act(name, mode, act) {
    if (!this.#database) throw new Error("missing");
    const transaction = this.#database.transaction(name, mode, { durability: "strict" });
    const result = act(transaction.objectStore(name));
    await bounded(ended(transaction));
    return result?.result;
  }

  // Keep a value; resolves once it stands on the disk, or once it stands in memory and `trouble` is set.
  async put(name, value) {
    try {
      await this.#act(name, "readwrite", (store) => store.put(value));
      this.#loose[name].delete(value[STORES[name]]);
    } catch {
      this.trouble = this.#database ? "full" : "missing";
      this.#loose[name].set(value[STORES[name]], value);
    }
  }

  async remove(name, key) {
    this.#loose[name].delete(key);
    try {
      await this.#act(name, "readwrite", (store) => store.delete(key));
    } catch {
      // It is gone from memory; what stands on the disk comes back with the next load and is sent again under its nonce.
    }
  }

  async get(name, key) {
    const loose = this.#loose[name].get(key);
    if (loose) return loose;
    return this.#act(name, "readonly", (store) => store.get(key)).catch(() => undefined);
  }

  async all(name) {
    const kept = await this.#act(name, "readonly", (store) => store.getAll()).catch(() => []);
    const loose = this.#loose[name];
    const key = STORES[name];
    return [...kept.filter((value) => !loose.has(value[key])), ...loose.values()];
  }

  // Take a lease unless somebody else holds it; where there is no store there is no second page to guard against.
  async lease(name, holder, lastsMs) {
    try {
      const transaction = this.#database.transaction("leases", "readwrite");
      const store = transaction.objectStore("leases");
      const held = await asked(store.get(name));
      const isFree = !held || held.holder === holder || held.until < Date.now();
      if (isFree) store.put({ name, holder, until: Date.now() + lastsMs });
      await ended(transaction);
      return isFree;
    } catch {
      return true;
    }
  }
}

// Forget names, marks and keys. Scans that wait for their upload stay: they are nobody's to drop. before: only snapshots that ran
// out by this moment.
export async function forget(before = Infinity) {
  if (!globalThis.indexedDB) return;
  const known = (await indexedDB.databases?.()) ?? [{ name: NAME }];
  if (!known.some((each) => each.name === NAME)) return;
  const database = await opened();
  const transaction = database.transaction(["snapshots", "effects"], "readwrite");
  const snapshots = transaction.objectStore("snapshots");
  const effects = transaction.objectStore("effects");
  const gone = new Set();
  for (const kept of await asked(snapshots.getAll())) {
    if (kept.expires_at > before) continue;
    gone.add(kept.shift_id);
    snapshots.delete(kept.shift_id);
  }
  for (const effect of await asked(effects.getAll())) {
    if (gone.has(effect.shift_id)) effects.delete(effect.nonce);
  }
  await ended(transaction);
  database.close();
}
