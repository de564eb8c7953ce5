// What a station leaves behind on its device: nothing but scans that still wait.
import { filled } from "./verdict.js";
import { Store, forget } from "./store.js";

const UNTIL = "pointsbank-station-until";
const CACHES = "pointsbank-station-"; // as keeping-worker.js names them
const WORDS = "pointsbank-station-leaving"; // the sentence in the language of the page that kept the list

async function forgetFiles() {
  await (await navigator.serviceWorker?.getRegistration("/shifts/"))?.unregister();
  for (const name of await globalThis.caches?.keys() ?? []) if (name.startsWith(CACHES)) await caches.delete(name);
}

// Clear lists that ran out.
export async function clear() {
  await forget(Date.now());
  localStorage.removeItem(UNTIL);
}

// Before signing out: clear all lists and the kept page. Resolves to whether the person still wants to go.
export async function leave() {
  const store = new Store();
  await store.open();
  const waiting = (await store.all("queue")).length;
  const words = localStorage.getItem(WORDS);
  if (waiting && words && !confirm(filled(words, { waiting }))) return false;
  await forget();
  await forgetFiles();
  localStorage.removeItem(UNTIL);
  return true;
}
