// Compute a personal code for one shift as the server does, so that a phone goes on without a network.
// bytes = header(1) | member's handle(5) | shift's handle(5) | step(4, big endian); MAC = HMAC-SHA256(key, bytes), first 10 bytes.
import { base32, fromBase64url } from "./venuecode.js";

export const STEP_SECONDS = 30;
const MAC_BYTES = 10;

export function stepAt(unixMs) {
  return Math.floor(unixMs / 1000 / STEP_SECONDS);
}

// The key as the browser holds it: it signs, and cannot be read out again. `key` is base64url.
export function signingKey(key) {
  return crypto.subtle.importKey("raw", fromBase64url(key), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

// The code text of one step. `key` is a signing key; `handle` and `shiftHandle` are base64url.
export async function personalCode({ header, handle, shiftHandle, key }, step) {
  const bytes = new Uint8Array(15);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, Number(header));
  bytes.set(fromBase64url(handle), 1);
  bytes.set(fromBase64url(shiftHandle), 6);
  view.setUint32(11, step, false);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes)).slice(0, MAC_BYTES);
  const whole = new Uint8Array(bytes.length + MAC_BYTES);
  whole.set(bytes);
  whole.set(mac, bytes.length);
  return base32(whole);
}
