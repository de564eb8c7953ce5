// The evaluator of scans as a station without a network carries it: pointsbank/attendance/policy.py, rule for rule.
// tests/vectors/judge.json holds cases that both answer alike; whoever changes one changes the other.
// Moments are milliseconds since 1970; names are those of policy.Case, so that vectors need no translation.

const REPEAT_MS = 120_000; // within two minutes the same phone means the same scan, not a second wish
const OCCURRENCES_MAX = 3;
const MINUTE_MS = 60_000;
const ATTENDING_KINDS = ["venue", "personal", "card", "manual"];
const MOMENTS = ["at", "starts_at", "ends_at", "checked_in_at", "checked_out_at"];

const DEFAULTS = {
  is_genuine: true, is_fresh: true, is_revoked: false, is_at_station: false, direction: "auto", member_state: "active",
  may_scan: true, is_lead: false, has_shift: true, is_other_shift: false, is_called_off: false, claim: null,
  claims_elsewhere: false, is_eligible: true, places_left: 0, starts_at: null, ends_at: null, pairs: 0,
  checked_in_at: null, checked_out_at: null, is_same_device: false, is_settled: false, digits: null, confirm: false, has_note: false,
};

// Fill up what a case leaves out, and read moments that are written as text.
export function caseFrom(values) {
  const filled = { ...DEFAULTS, ...values };
  for (const name of MOMENTS) {
    if (typeof filled[name] === "string") filled[name] = Date.parse(filled[name]);
  }
  return filled;
}

const judgement = (result, reason, more = {}) => ({
  result, reason, act: "none", direction: null, may_confirm: false, needs_note: false, ...more,
});

// Judge a case under rules {opens_minutes, stays_minutes}: form, MAC, purpose, expiry, member, permission, claim,
// window, places, repeats.
export function judge(given, rules) {
  const refused = codeRefusal(given) ?? standingRefusal(given);
  if (refused) return judgement("refuse", refused);
  const c = { ...given, direction: directionOf(given) };
  return withoutCheckIn(c) ?? withoutClaim(c) ?? outsideWindow(c, rules) ?? withoutPlace(c) ?? markedAlready(c) ?? withoutDigits(c) ?? accepted(c);
}

function codeRefusal(c) {
  if (c.kind === "unknown") return "bad_code";
  if (!c.is_genuine) return "bad_signature";
  if (c.kind === "poster" && c.digits !== null) return { wrong: "wrong_digits", locked: "digits_locked" }[c.digits] ?? null;
  if (!ATTENDING_KINDS.includes(c.kind) || (c.kind === "venue" && c.is_at_station)) return "wrong_purpose";
  if (c.is_revoked) return "card_revoked";
  return c.is_fresh ? null : "code_expired";
}

// Whoever scanned a poster alone is asked whether to go on: a second person then looks at it.
function withoutDigits(c) {
  if (c.digits !== "missing" || c.confirm) return null;
  return judgement("confirm", "poster_waiting", { direction: c.direction, may_confirm: true });
}

function standingRefusal(c) {
  if (c.member_state === null) return "not_member";
  if (c.member_state !== "active") return "suspended";
  if (!c.may_scan) return "no_permission";
  if (!c.has_shift) return "no_shift";
  if (c.is_other_shift) return "wrong_shift";
  return c.is_called_off ? "called_off" : null;
}

// Auto is the next step, and insisting on a second check-in is leaving.
function directionOf(c) {
  if (c.checked_in_at === null) return c.direction === "out" ? "out" : "in";
  if (c.direction === "auto") {
    const soon = c.at - c.checked_in_at < REPEAT_MS;
    return soon && c.checked_out_at === null && !c.confirm ? "in" : "out";
  }
  if (c.direction === "in" && c.checked_out_at !== null) {
    // Right after leaving the same code means the same scan, not a second coming.
    return c.at - c.checked_out_at >= (c.confirm ? 0 : REPEAT_MS) ? "in" : "out";
  }
  // Pressed twice, the button that let somebody in does not let them out again.
  if (c.direction === "in" && c.confirm) return isRepeat(c, c.checked_in_at) ? "in" : "out";
  return c.direction;
}

// Whether the same phone made the mark that stands a moment ago.
const isRepeat = (c, markedAt) => c.is_same_device && Math.abs(c.at - markedAt) < REPEAT_MS;

// Whether somebody who left comes in again; the direction is settled.
const comesBack = (c) => c.direction === "in" && c.checked_out_at !== null;
// Whether a scan is about somebody who came, and not about their coming (again).
const isThere = (c) => c.checked_in_at !== null && !comesBack(c);

function withoutCheckIn(c) {
  if (c.direction !== "out") return null;
  if (c.checked_in_at === null || c.at < c.checked_in_at) return judgement("refuse", "not_in", { direction: "in" });
  return null;
}

function withoutClaim(c) {
  if (c.claim !== null || isThere(c)) return null;
  if (c.ends_at !== null && c.at >= c.ends_at) return judgement("refuse", "too_late", { direction: "in" });
  if (!c.is_eligible && !(c.is_lead && c.confirm && c.has_note)) {
    if (!c.is_lead) return judgement("refuse", "not_eligible", { direction: "in" });
    return judgement("confirm", "not_eligible", { direction: "in", may_confirm: true, needs_note: true });
  }
  if (c.confirm || c.places_left <= 0) return null;
  const reason = c.claims_elsewhere ? "wrong_shift" : "not_claimed";
  return judgement("confirm", reason, { direction: "in", may_confirm: true });
}

function outsideWindow(c, rules) {
  if (c.starts_at === null || c.ends_at === null) return null;
  const opensAt = c.starts_at - rules.opens_minutes * MINUTE_MS;
  const stays = c.direction === "out" ? rules.stays_minutes * MINUTE_MS : 0;
  if (opensAt <= c.at && c.at <= c.ends_at + stays) return null;
  if (c.is_lead && c.confirm && c.has_note) return null;
  const reason = c.at < opensAt ? "too_early" : "too_late";
  return judgement("confirm", reason, { direction: c.direction, may_confirm: c.is_lead, needs_note: true });
}

function withoutPlace(c) {
  if (isThere(c) || c.claim === "claimed") return null;
  if (c.claim === "waitlisted") return judgement("refuse", "full", { direction: "in" });
  if (c.places_left > 0) return null;
  if (c.confirm) return judgement("ok", "waitlisted", { act: "wait", direction: "in" });
  return judgement("confirm", "full", { direction: "in", may_confirm: true });
}

function markedAlready(c) {
  if (!isThere(c)) return c.pairs || comesBack(c) ? comingAgain(c) : null;
  const markedAt = c.direction === "in" ? c.checked_in_at : c.checked_out_at;
  if (markedAt === null) return null;
  if (isRepeat(c, markedAt) && (c.direction === "in" || !c.confirm)) {
    return judgement("ok", "repeat_just_now", { direction: c.direction });
  }
  if (c.direction === "in") return judgement("confirm", "already_in", { direction: "out", may_confirm: true });
  if (c.is_settled) return judgement("refuse", "settled", { direction: "out" });
  const isLater = c.at >= markedAt;
  if (c.confirm && isLater) return judgement("ok", "ok_out", { act: "move_check_out", direction: "out" });
  return judgement("confirm", "already_out", { direction: "out", may_confirm: isLater });
}

// A further coming: the lead sees who stands there, anybody else is asked first.
function comingAgain(c) {
  if (c.is_settled) return judgement("refuse", "settled", { direction: "in" });
  if (c.pairs >= OCCURRENCES_MAX) return judgement("refuse", "no_more_pairs", { direction: "in" });
  if (c.confirm || c.is_lead || !comesBack(c)) return null;
  return judgement("confirm", "already_out", { direction: "in", may_confirm: true });
}

function accepted(c) {
  if (c.direction === "out") return judgement("ok", "ok_out", { act: "check_out", direction: "out" });
  return judgement("ok", "ok_in", { act: c.claim === "claimed" ? "check_in" : "join", direction: "in" });
}

const wholeMinute = (ms) => Math.floor(ms / MINUTE_MS) * MINUTE_MS;

// How many minutes of the shift somebody was there; pairs are [came, left], null where a mark is missing.
export function minutesOfPresence(pairs, startsAt, endsAt, breakMinutes = 0) {
  const within = [];
  for (const [came, left] of pairs) {
    if (came === null || left === null) continue;
    const span = [wholeMinute(Math.max(came, startsAt)), wholeMinute(Math.min(left, endsAt))];
    if (span[0] < span[1]) within.push(span);
  }
  within.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
  let total = 0;
  let away = 0;
  let lastLeft = null;
  for (const [came, left] of within) {
    const begins = lastLeft === null ? came : Math.max(came, lastLeft);
    if (lastLeft !== null) away += Math.floor((begins - lastLeft) / MINUTE_MS);
    if (left > begins) total += Math.floor((left - begins) / MINUTE_MS);
    lastLeft = lastLeft === null ? left : Math.max(left, lastLeft);
  }
  return Math.max(0, total - Math.max(0, breakMinutes - away));
}
