// A verdict of this device in words, in the form in which the server answers one.

const two = (number) => String(number).padStart(2, "0");
const MINUTE_MS = 60_000;

export const filled = (pattern, facts) => pattern.replace(/\{(\w+)\}/g, (whole, name) => (name in facts ? facts[name] : whole));

// "13:05" of a moment, on this device's wall clock.
export function clockTime(ms) {
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}

export function duration(words, minutes) {
  const facts = { hours: Math.floor(minutes / 60), minutes: minutes % 60 };
  if (!facts.hours) return filled(words.minutes, facts);
  return filled(facts.minutes ? words.hours_minutes : words.hours, facts);
}

const DETAILS = {
  ok_in: ({ words, roster }) => filled(words.arrived, roster.counts),
  ok_out: ({ words, roster, person }) => filled(words.today, { duration: duration(words, person ? roster.minutesOf(person) : 0) }),
  already_in: ({ words, person }) => marked(words.marked_in, person, "in"),
  already_out: ({ words, person }) => marked(words.marked_out, person, "out"),
  not_claimed: ({ words, roster }) => filled(words.not_claimed, { left: roster.shift.places - roster.claimed }),
  full: ({ words }) => words.full,
  waitlisted: ({ words }) => words.waitlisted,
  wrong_shift: ({ words }) => words.other_shift,
  too_early: ({ words, roster }) => filled(words.too_early, { time: clockTime(roster.startsAt - roster.shift.opens_minutes * MINUTE_MS) }),
  too_late: ({ words, roster, at }) => filled(words.too_late, { duration: duration(words, Math.max(0, Math.floor((at - roster.endsAt) / MINUTE_MS))) }),
  wrong_purpose: ({ words, found }) => words.purposes[found.sight.kind] ?? "",
  not_on_list: ({ words, found }) => (found.sight.isGeneral ? words.general_code : words.not_on_list),
};

function marked(pattern, person, way) {
  const [came, left] = person.visits.at(-1);
  return filled(pattern, { time: clockTime(way === "in" ? came : left), name: person.by[way] });
}

// Return the verdict of a judgement made here; what was taken is said to be kept on this device until there is a network.
export function verdictOf({ judgement, found, person, roster, words, at, waiting, isSlow }) {
  const { result, reason } = judgement;
  const isTaken = result === "ok" && reason !== "repeat_just_now";
  const said = DETAILS[reason]?.({ words, roster, person, found, at }) ?? words.plain[reason] ?? "";
  const kept = [isSlow ? words.kept_slow : words.kept, filled(words.waiting, { waiting })];
  return {
    result, reason, direction: judgement.direction, is_kept: true,
    title: (isTaken ? words.kept_titles[reason] : null) ?? words.titles[reason] ?? reason,
    detail: isTaken ? [`${clockTime(at)} · ${roster.shift.place_name}`, said, ...kept].filter(Boolean).join("\n") : said,
    action: words.actions[reason] ?? null,
    may_confirm: judgement.may_confirm, needs_reason: judgement.needs_note && judgement.may_confirm,
    person: person?.name ? { display_name: person.name } : null,
    counts: roster.counts,
  };
}

// Return what is shown when nobody here can judge: the scan is kept, and the server judges it later.
export function unjudged({ words, waiting, at }) {
  return {
    result: "wait", reason: "server_busy", direction: null, is_kept: true, title: words.titles.server_busy,
    detail: [clockTime(at), words.unjudged, filled(words.waiting, { waiting })].join("\n"), action: null, may_confirm: false, person: null, counts: null,
  };
}
