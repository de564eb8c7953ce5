// The half of the station that a scan asked of the server does not need: fetched behind the page, and kept by the worker for later.
export { Queue } from "./queue.js";
export { Roster, isSnapshot } from "./roster.js";
export { Store } from "./store.js";
