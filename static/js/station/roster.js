// One shift's people as the station knows them: the snapshot, and what happened here since. Finds out what a scan is judged by.
import { caseFrom, judge, minutesOfPresence } from "../judge.js";
import { hashOf, isFresh, isGenuine, lookAt } from "../reading.js";

const FORMAT = "pointsbank-station/1";
const NUMBER_HASH_BYTES = 6;
const CARD_HASH_BYTES = 9;
const CLAIMS = { c: "claimed", w: "waitlisted" };
// Nobody but the server can tell whether such a code is genuine: the snapshot holds the keys of this shift's people alone.
const UNKNOWN_HERE = { result: "confirm", reason: "not_on_list", act: "none", direction: "in", may_confirm: true, needs_note: false };

// Whether this is a snapshot that this program can read.
export function isSnapshot(data) {
  return data?.format === FORMAT && Array.isArray(data.people) && Array.isArray(data.fields) && Boolean(data.shift?.handle);
}

export class Roster {
  // offsetMs: how far the server's clock is ahead of this device's.
  constructor(snapshot, offsetMs) {
    this.snapshot = snapshot;
    this.shift = snapshot.shift;
    this.offsetMs = offsetMs;
    this.startsAt = Date.parse(this.shift.starts_at);
    this.endsAt = Date.parse(this.shift.ends_at);
    this.expiresAt = Date.parse(snapshot.expires_at);
    this.claimed = this.shift.claimed;
    this.people = new Map();
    this.cards = new Map();
    this.numbers = new Map();
    this.revoked = new Set(snapshot.revoked_cards);
    for (const row of snapshot.people) this.#add(row);
  }

  #add(row) {
    const told = Object.fromEntries(this.snapshot.fields.map((name, place) => [name, row[place]]));
    const moment = (seconds) => (seconds === null ? null : this.startsAt + seconds * 1000);
    const person = {
      id: told.handle, key: told.key, name: told.name, tail: told.tail, claim: CLAIMS[told.claim] ?? null,
      state: told.suspended ? "suspended" : "active", isSettled: Boolean(told.settled), isListed: true,
      visits: told.visits.map((pair) => pair.map(moment)),
      by: { in: this.snapshot.by[told.in_by] ?? "", out: this.snapshot.by[told.out_by] ?? "" },
      isHere: { in: Boolean(told.same_device & 1), out: Boolean(told.same_device & 2) },
    };
    this.people.set(person.id, person);
    this.numbers.set(told.number, person);
    for (const card of told.cards) this.cards.set(card, person);
  }

  now() { return Date.now() + this.offsetMs; }

  get size() { return this.snapshot.people.length; }

  get counts() {
    let arrived = 0;
    let present = 0;
    for (const person of this.people.values()) {
      arrived += person.visits.length > 0;
      present += person.visits.some(([came, left]) => came !== null && left === null);
    }
    return { arrived, present, places: this.shift.places, claimed: this.claimed };
  }

  // What was held up, and whom it is about: {sight, person, id, isProven (null: nobody here can tell), isRevoked, isFresh}.
  async recognise(text, at) {
    const sight = lookAt(text);
    const found = { sight, person: null, id: null, isProven: true, isRevoked: false, isFresh: true };
    if (sight.kind === "personal") await this.#personal(found, at);
    if (sight.kind === "card") {
      const hash = await hashOf(this.snapshot.card_key, sight.number, CARD_HASH_BYTES);
      found.isRevoked = this.revoked.has(hash);
      this.#known(found, this.cards.get(hash), `card ${hash}`, found.isRevoked);
    }
    if (sight.kind === "manual") {
      const hash = await hashOf(this.snapshot.number_key, sight.text, NUMBER_HASH_BYTES);
      this.#known(found, this.numbers.get(hash), `number ${hash}`, false);
    }
    return found;
  }

  #known(found, person, id, isSure) {
    found.person = person ?? this.people.get(id) ?? null;
    found.id = found.person?.id ?? id;
    if (!found.person && !isSure) found.isProven = null;
  }

  async #personal(found, at) {
    const { sight } = found;
    const person = this.people.get(sight.handle);
    found.isFresh = isFresh(sight.step, at);
    found.id = sight.handle;
    found.person = person ?? null;
    if (sight.shiftHandle === this.shift.handle && person?.key) found.isProven = await isGenuine(sight.code, person.key);
    else if (sight.isGeneral || sight.shiftHandle === this.shift.handle) found.isProven = null;
    found.isOtherShift = !sight.isGeneral && sight.shiftHandle !== this.shift.handle;
  }

  // Judge a scan {code, direction, confirm, note, vouched} as of `at`: {judgement, found, person}. vouched: the lead was told that
  // this device cannot check the code, and takes the person in all the same.
  async judge(scan, at) {
    const found = await this.recognise(scan.code, at);
    const { person } = found;
    const isUnproven = found.isProven === null && !scan.vouched && !person?.isTaken;
    let judgement = judge(this.#case(found, scan, at), this.shift);
    if (isUnproven && judgement.reason !== "code_expired" && (!person || judgement.result === "ok")) judgement = UNKNOWN_HERE;
    return { judgement, found, person };
  }

  #case(found, scan, at) {
    // Whoever is on no list is judged as if they had a place: the server knows, and the lead is asked first.
    const person = found.person ?? { claim: "claimed", visits: [], state: "active", isHere: {} };
    const [came, left] = person.visits.at(-1) ?? [null, null];
    return caseFrom({
      at, kind: found.sight.kind, is_genuine: found.isProven !== false, is_fresh: found.isFresh, is_revoked: found.isRevoked,
      is_at_station: true, direction: scan.direction, member_state: person.state, is_lead: true,
      is_other_shift: Boolean(found.isOtherShift), is_called_off: this.shift.is_called_off,
      claim: person.claim, places_left: this.shift.places - this.claimed, starts_at: this.startsAt, ends_at: this.endsAt,
      pairs: person.visits.length, checked_in_at: came, checked_out_at: left,
      is_same_device: Boolean(person.isHere[left === null ? "in" : "out"]), is_settled: Boolean(person.isSettled),
      confirm: Boolean(scan.confirm), has_note: Boolean(scan.note),
    });
  }

  minutesOf(person) {
    return minutesOfPresence(person.visits, this.startsAt, this.endsAt, this.shift.break_minutes);
  }

  // Let what was judged happen here: effect {id, act, at, by, name?}.
  apply(effect) {
    const person = this.people.get(effect.id) ?? this.#newcomer(effect);
    if (effect.act === "wait") {
      person.claim = "waitlisted";
      return;
    }
    if (effect.act === "join" && person.claim !== "claimed") {
      person.claim = "claimed";
      this.claimed += 1;
    }
    const way = effect.act === "check_in" || effect.act === "join" ? "in" : "out";
    if (way === "in") person.visits.push([effect.at, null]);
    else if (person.visits.length) person.visits.at(-1)[1] = effect.at;
    person.by[way] = effect.by;
    person.isHere[way] = true;
  }

  // Somebody who is on no list: taken in by the lead, to be judged by the server.
  #newcomer(effect) {
    const person = {
      id: effect.id, key: null, name: effect.name ?? "", tail: "", claim: "claimed", state: "active", isSettled: false,
      isListed: false, isTaken: true, visits: [], by: {}, isHere: {},
    };
    this.people.set(effect.id, person);
    return person;
  }
}
