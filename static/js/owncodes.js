// One's own codes for shifts as this phone keeps them, so that a page loaded anew without a network makes them still: in IndexedDB, each with
// a key that signs and can never be read out again.
const NAME = "pointsbank-own-codes"; // the caches of the kept page begin with it too
const UNTIL = "pointsbank-own-codes-until"; // page.js looks here before it loads anything more
const SCOPE = "/my-code";

const asked = (request) => new Promise((done, failed) => {
  request.onsuccess = () => done(request.result);
  request.onerror = () => failed(request.error);
});

const ended = (transaction) => new Promise((done, failed) => {
  transaction.oncomplete = () => done();
  transaction.onabort = () => failed(transaction.error ?? new Error("aborted"));
});

function opened() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore("codes", { keyPath: "id" });
  return asked(request);
}

async function worked(mode, work) {
  const database = await opened();
  try {
    const transaction = database.transaction("codes", mode);
    const result = await work(transaction.objectStore("codes"));
    await ended(transaction);
    return result;
  } finally {
    database.close();
  }
}

// Keep these codes in place of all that were kept: whoever is signed in now has these and no others.
export async function keepCodes(codes) {
  // Said first: whatever stands in the store is sure to be cleared.
  localStorage.setItem(UNTIL, String(Math.max(...codes.map((code) => code.until))));
  await worked("readwrite", (store) => {
    store.clear();
    for (const code of codes) store.put(code);
  });
}

// Return what is kept and still good at this moment of this phone's clock, the soonest shift first.
export async function keptCodes() {
  const codes = await worked("readonly", (store) => asked(store.getAll()));
  return codes.filter((code) => code.until > Date.now() + code.offset).sort((one, other) => one.order - other.order);
}

// Forget every key, and the page that was kept for them.
export async function forgetCodes() {
  await worked("readwrite", (store) => { store.clear(); });
  localStorage.removeItem(UNTIL);
  const registration = await navigator.serviceWorker?.getRegistration(SCOPE);
  if (registration && new URL(registration.scope).pathname === SCOPE) await registration.unregister();
  for (const name of await globalThis.caches?.keys() ?? []) if (name.startsWith(`${NAME}-`)) await caches.delete(name);
}

// Let the phone keep the page itself, without anybody's data.
export async function keepPage() {
  const registration = await navigator.serviceWorker?.register("/my-code-worker.js", { scope: SCOPE }).catch(() => null);
  const worker = registration?.active ?? registration?.waiting ?? registration?.installing;
  worker?.postMessage("keep");
}
