// How good the network is: quick (each scan is the server's to judge) or offline (this device judges), by the last five results or by hand.

const RESULTS_KEPT = 5;
const FAILURES_MAX = 1; // a second one among the last five, and this device judges
const MEAN_MS_MAX = 2500;
const GOOD_PROBES = 2;

export class Line {
  #results = [];
  #good = 0;
  #isOffline = false;
  isByHand = false;

  constructor(onChange) { this.onChange = onChange; }

  get isOffline() { return this.isByHand || this.#isOffline; }

  // An answer after so many milliseconds; null: none came.
  note(ms) {
    this.#results = [...this.#results, ms].slice(-RESULTS_KEPT);
    const came = this.#results.filter((each) => each !== null);
    const mean = came.reduce((sum, each) => sum + each, 0) / (came.length || 1);
    this.#turn(this.#results.length - came.length > FAILURES_MAX || (came.length > 1 && mean > MEAN_MS_MAX));
  }

  // A probe while offline: two good ones in a row lead back.
  probe(ms) {
    this.#good = ms !== null && ms <= MEAN_MS_MAX ? this.#good + 1 : 0;
    if (this.#good >= GOOD_PROBES) this.#turn(false);
    return this.#good;
  }

  // The device itself says that there is no network.
  cut() { this.#turn(true); }

  // By hand: true stays offline until it is taken back; false tries the network anew, and its results decide again.
  hold(isOffline) {
    this.isByHand = isOffline;
    if (!isOffline) this.#turn(false);
    this.onChange();
  }

  #turn(isOffline) {
    if (this.#isOffline === isOffline) return;
    this.#isOffline = isOffline;
    this.#results = [];
    this.#good = 0;
    this.onChange();
  }
}
