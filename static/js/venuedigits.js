// The four digits beside a poster, computed as the server does, so that they go on without a network.
// HMAC-SHA256(venue key, "digits" | length of the slot (2) | slot (4, big endian) | 1): first 8 bytes, last 4 decimal digits.
import { fromBase64url } from "./venuecode.js";

export const DIGITS_SLOT_SECONDS = 300;
const PURPOSE = new TextEncoder().encode("digits");

export function digitsSlotAt(unixMs) {
  return Math.floor(unixMs / 1000 / DIGITS_SLOT_SECONDS);
}

// The digits of one slot of five minutes; `key` is the shift's venue key in base64url.
export async function venueDigits(key, slot) {
  const message = new Uint8Array(PURPOSE.length + 7);
  message.set(PURPOSE);
  const view = new DataView(message.buffer, PURPOSE.length);
  view.setUint16(0, 4, false);
  view.setUint32(2, slot, false);
  view.setUint8(6, 1);
  const secret = await crypto.subtle.importKey("raw", fromBase64url(key), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", secret, message);
  const number = new DataView(mac).getBigUint64(0, false) % 10000n;
  return number.toString().padStart(4, "0");
}
