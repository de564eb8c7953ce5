// Compute the venue code as the server does, so that the screen goes on without a network.
// bytes = header(1) | shift handle(5) | slot(4, big endian) | direction(1); MAC = HMAC-SHA256(key, bytes), first 10 bytes.

export const SLOT_SECONDS = 15;
const MAC_BYTES = 10;
const DIRECTIONS = { in: 0, out: 1, either: 2 };
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; // RFC 4648

export function fromBase64url(text) {
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(raw, (char) => char.charCodeAt(0));
}

export function base32(bytes) {
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return bits ? text + ALPHABET[(held << (5 - bits)) & 31] : text;
}

export function slotAt(unixMs) {
  return Math.floor(unixMs / 1000 / SLOT_SECONDS);
}

// The code text of one slot. `key` is base64url, `handle` base64url of five bytes.
export async function venueCode({ header, handle, key, direction }, slot) {
  const bytes = new Uint8Array(11);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, Number(header));
  bytes.set(fromBase64url(handle), 1);
  view.setUint32(6, slot, false);
  view.setUint8(10, DIRECTIONS[direction]);
  const secret = await crypto.subtle.importKey("raw", fromBase64url(key), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", secret, bytes)).slice(0, MAC_BYTES);
  const whole = new Uint8Array(bytes.length + MAC_BYTES);
  whole.set(bytes);
  whole.set(mac, bytes.length);
  return base32(whole);
}
