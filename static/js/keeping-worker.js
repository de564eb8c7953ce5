// The service worker of a page that a device keeps: its shell and its files, so that the page begins again after a reload without a network,
// and after the device went dark. It answers for nothing else, and keeps no answer that holds anybody's data.
// KEPT {name, version, files, pages, shell} is written above this line by the server.

const CACHE = `${KEPT.name}-${KEPT.version}`;
const PAGES = new RegExp(KEPT.pages);
const PAGE_LIMIT_MS = 4000;
const FILE_LIMIT_MS = 2500;
const BAD_MS = 15_000;

let badUntil = 0; // after one file came too late the others do not wait as long

async function keep() {
  const cache = await caches.open(CACHE);
  const known = new Set((await cache.keys()).map((request) => new URL(request.url).pathname));
  await cache.addAll(KEPT.files.filter((path) => !known.has(path)).map((path) => new Request(path, { cache: "reload" })));
  const shell = await fetch(KEPT.shell, { credentials: "same-origin", cache: "no-store" });
  if (shell.ok && !shell.redirected) await cache.put(KEPT.shell, shell);
}

async function forget(names) {
  for (const name of names) if (name.startsWith(`${KEPT.name}-`)) await caches.delete(name);
}

async function others() {
  return (await caches.keys()).filter((name) => name !== CACHE);
}

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(others().then(forget).then(() => self.clients.claim()));
});

self.addEventListener("message", (event) => {
  if (event.data === "keep") event.waitUntil(keep().catch(() => {}));
});

async function fromNetwork(request, limitMs, options = {}) {
  return fetch(request, { ...options, signal: AbortSignal.timeout(limitMs) });
}

async function page(request) {
  try {
    return await fromNetwork(request, PAGE_LIMIT_MS);
  } catch (fault) {
    badUntil = Date.now() + BAD_MS;
    const shell = await (await caches.open(CACHE)).match(KEPT.shell);
    if (shell) return shell;
    throw fault;
  }
}

async function file(request) {
  const kept = await (await caches.open(CACHE)).match(request, { ignoreSearch: true });
  if (kept && Date.now() < badUntil) return kept;
  try {
    return await fromNetwork(request, FILE_LIMIT_MS, { cache: "no-cache" });
  } catch (fault) {
    badUntil = Date.now() + BAD_MS;
    if (kept) return kept;
    throw fault;
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && PAGES.test(url.pathname)) event.respondWith(page(request));
  else if (KEPT.files.includes(url.pathname)) event.respondWith(file(request));
});
