// A deal that waits for its member, or an order for its clerk: the clock runs, and both see the answer within a second.
import "./asking.js";
import { setRing } from "./qrcode.js";
import { readJson } from "./server.js";
import { signal } from "./signals.js";

const POLL_MS = 1000;
const page = document.querySelector("#waiting");
const ring = page.querySelector("[data-ring]");
const lost = page.querySelector("[data-lost]");
const total = Number(page.dataset.total);
const endsAt = performance.now() + Number(page.dataset.left) * 1000;

async function look() {
  let deal;
  try {
    deal = await readJson(page.dataset.api);
    lost.hidden = true;
  } catch {
    lost.hidden = false; // nothing is decided by silence: the server keeps the minute
    return;
  }
  if (deal.state === (page.dataset.while || "waiting")) return;
  signal(["completed", "delivered"].includes(deal.state) ? "ok" : "refuse");
  location.replace(page.dataset.here);
}

setInterval(() => setRing(ring, Math.max(0, (endsAt - performance.now()) / 1000), total), 1000);
setInterval(look, POLL_MS);
addEventListener("online", look);
