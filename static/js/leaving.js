// What a device keeps beyond a page goes when it ran out, and when somebody signs out; the keys of one's own codes also when the service asks
// who is there, because the next may be somebody else.
const STATION = "pointsbank-station-until";
const OWN_CODES = "pointsbank-own-codes-until";
const keptUntil = (name) => Number(localStorage.getItem(name));
const ranOut = (name) => keptUntil(name) > 0 && keptUntil(name) < Date.now();
const forgetCodes = () => import("./owncodes.js").then(({ forgetCodes: forget }) => forget()).catch(() => {});

// Clear what ran out, or may be another person's.
export async function tidy() {
  if (ranOut(STATION)) await import("./station/leaving.js").then(({ clear }) => clear());
  if (ranOut(OWN_CODES) || (keptUntil(OWN_CODES) && document.querySelector("[data-asks-who]"))) await forgetCodes();
}

// Before signing out: clear everything. Resolves to whether the person still wants to go.
export async function leave() {
  if (keptUntil(STATION) && !(await import("./station/leaving.js").then(({ leave: leaveStation }) => leaveStation()).catch(() => true))) return false;
  if (keptUntil(OWN_CODES)) await forgetCodes();
  return true;
}
