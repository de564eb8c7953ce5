// Ask our server within a time limit, and tell what kind of answer came. A page that lay long gets itself a new form token.

const KINDS = { 200: "ok", 401: "signed_out", 403: "not_allowed" };

let token = document.querySelector('meta[name="csrf-token"]')?.content || "";

async function once(url, body, limitMs) {
  const answer = await fetch(url, {
    method: "POST", credentials: "same-origin", cache: "no-store", redirect: "manual",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token },
    body: JSON.stringify(body ?? {}), signal: AbortSignal.timeout(limitMs),
  });
  const data = await answer.json().catch(() => null);
  return { status: answer.status, data };
}

// The token of this page belongs to a session that is over, or the page came from the cache: read a fresh one.
async function renewToken(limitMs) {
  const answer = await fetch(location.pathname, { credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(limitMs) });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.querySelector('meta[name="csrf-token"]')?.content;
  const isNew = Boolean(found) && found !== token;
  if (isNew) token = found;
  return isNew;
}

// Resolve to {kind, data, ms}; never rejects. kind: ok, signed_out, not_allowed, invalid (this request will never be taken), busy (try
// again), strange (not our server's answer, such as a hotel's sign-in page), or none.
export async function ask(url, body, limitMs) {
  const began = performance.now();
  const left = () => Math.max(1, limitMs - (performance.now() - began));
  try {
    let { status, data } = await once(url, body, limitMs);
    if (status === 400 && data?.code === "bad_form_token" && await renewToken(left())) ({ status, data } = await once(url, body, left()));
    const kind = data?.code === "bad_form_token" ? "signed_out" : kindOf(status, data);
    return { kind, data, ms: performance.now() - began };
  } catch {
    return { kind: "none", data: null, ms: null };
  }
}

function kindOf(status, data) {
  if (status >= 500 || status === 409 || status === 429) return "busy";
  if (data === null || typeof data !== "object") return "strange";
  if (KINDS[status]) return KINDS[status];
  return status >= 400 && typeof data.code === "string" ? "invalid" : "strange";
}

// How long the server takes to say that it lives; null when it does not.
export async function probe(url, limitMs) {
  const began = performance.now();
  try {
    const answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(limitMs) });
    const data = await answer.json();
    return answer.ok && data.status === "ok" ? performance.now() - began : null;
  } catch {
    return null;
  }
}
