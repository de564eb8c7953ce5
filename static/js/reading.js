// Read codes as the server does (core/codes.py, members/codes.py, attendance/codes.py), and check them with WebCrypto under
// the keys of one shift. Form: header(1) | body | MAC(10), in base32 without padding, bare or behind a URL.
import { fromBase64url } from "./venuecode.js";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; // RFC 4648
const IN_URL = /^https?:\/\/[!-.0-~]+\/([SMRKPT])\/([A-Z2-7]+)\/?$/i;
const ASCII = /^[\0-\x7f]*$/;
// White space as Python knows it: without the byte order mark, with the separators of ASCII.
const SPACE = "\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const AROUND = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "g");
const BETWEEN_DIGITS = new RegExp(`[${SPACE}-]`, "g");
// Letters alone are a word, not a number.
const MEMBER_NUMBER = /^(?=[A-Za-z-]*[0-9])[0-9A-Za-z][0-9A-Za-z-]{0,19}$/;
const TEXT_LENGTH_MAX = 500;
const VERSION = 1;
const KEY_ID = 0;
const MAC_BYTES = 10;
const HANDLE_BYTES = 5;
const KINDS = ["venue", "personal", "redemption", "card", "poster"];
const BODY_BYTES = { venue: 10, personal: 14, redemption: 7, card: 10, poster: 5 };
const STEP_SECONDS = 30;
const STEPS_OFFLINE = { least: -4, most: 2 };
const REDEMPTION = /^77\d{16}$/;

export function halfwidth(text) {
  return text.normalize("NFKC").replace(AROUND, "");
}

export function toBase64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// The bytes of a base32 text in its one spelling; null for anything else.
function unbase32(text) {
  if (!/^[A-Z2-7]+$/.test(text) || [1, 3, 6].includes(text.length % 8)) return null;
  const bytes = [];
  let held = 0;
  let bits = 0;
  for (const letter of text) {
    held = (held << 5) | ALPHABET.indexOf(letter);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 255);
      held &= (1 << bits) - 1;
    }
  }
  return held === 0 ? Uint8Array.from(bytes) : null;
}

// {kind, text, message (header and body), body, mac}; null when the text has not the form of one of our codes.
export function readCode(text) {
  const stripped = text.replace(AROUND, "");
  // The long s would become ours with a change of case.
  if (text.length > TEXT_LENGTH_MAX || !ASCII.test(stripped)) return null;
  const bare = (IN_URL.exec(stripped)?.[2] ?? stripped).toUpperCase();
  const bytes = unbase32(bare);
  if (!bytes?.length || bytes[0] >> 6 !== VERSION) return null;
  const kind = KINDS[bytes[0] & 7];
  if (!kind || bytes.length !== 1 + BODY_BYTES[kind] + MAC_BYTES) return null;
  const ends = bytes.length - MAC_BYTES;
  return { kind, text: bare, message: bytes.slice(0, ends), body: bytes.slice(1, ends), mac: bytes.slice(ends) };
}

// Whether these are the 18 digits under a redemption code, with their Luhn digit (ISO/IEC 7812-1, annex B).
function areRedemptionDigits(digits) {
  if (!REDEMPTION.test(digits)) return false;
  let total = 0;
  [...digits].reverse().forEach((digit, place) => {
    const value = Number(digit) * (place % 2 ? 2 : 1);
    total += value > 9 ? value - 9 : value;
  });
  return total % 10 === 0;
}

async function hmac(key, message) {
  const secret = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", secret, message));
}

const isSame = (one, other) => one.length === other.length && one.reduce((found, byte, place) => found | (byte ^ other[place]), 0) === 0;

// Whether the MAC of a code was made with this key (base64url).
export async function isGenuine(code, key) {
  if (((code.message[0] >> 3) & 7) !== KEY_ID) return false; // no such key is in use
  return isSame((await hmac(fromBase64url(key), code.message)).slice(0, MAC_BYTES), code.mac);
}

export async function hashOf(key, text, bytes) {
  return toBase64url((await hmac(fromBase64url(key), new TextEncoder().encode(text))).slice(0, bytes));
}

// What was held up, as far as it says so itself: {kind, text, code?, handle?, shiftHandle?, step?}. kind "manual" is a member's number.
export function lookAt(text) {
  const plain = halfwidth(text);
  const digits = plain.replace(BETWEEN_DIGITS, "");
  if (areRedemptionDigits(digits)) return { kind: "redemption", text: digits };
  const code = readCode(text);
  if (!code) return MEMBER_NUMBER.test(plain) ? { kind: "manual", text: plain } : { kind: "unknown", text };
  const seen = { kind: code.kind, text: code.text, code };
  if (code.kind === "personal") {
    seen.handle = toBase64url(code.body.slice(0, HANDLE_BYTES));
    seen.shiftHandle = toBase64url(code.body.slice(HANDLE_BYTES, 2 * HANDLE_BYTES));
    seen.isGeneral = code.body.slice(HANDLE_BYTES, 2 * HANDLE_BYTES).every((byte) => byte === 0);
    seen.step = new DataView(code.body.buffer, code.body.byteOffset).getUint32(2 * HANDLE_BYTES, false);
  }
  if (code.kind === "card") seen.number = Array.from(code.body, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return seen;
}

// Whether a personal code's step of 30 s fits this moment, as wide as a station without a network takes it.
export function isFresh(step, atMs) {
  const late = step - Math.floor(atMs / 1000 / STEP_SECONDS);
  return STEPS_OFFLINE.least <= late && late <= STEPS_OFFLINE.most;
}
