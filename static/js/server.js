// Talk to our own server: JSON with the CSRF header, a time limit, and one kind of answer.

const TIME_LIMIT_MS = 8000;

function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content || "";
}

// Send `body` as JSON. Resolve to {status, data}; reject only when no answer came.
export async function sendJson(url, body, method = "POST") {
  const answer = await fetch(url, {
    method,
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), Accept: "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: "same-origin",
    signal: AbortSignal.timeout?.(TIME_LIMIT_MS),
  });
  const data = await answer.json().catch(() => ({}));
  return { status: answer.status, data };
}

export async function readJson(url) {
  const answer = await fetch(url, {
    headers: { Accept: "application/json" },
    credentials: "same-origin",
    signal: AbortSignal.timeout?.(TIME_LIMIT_MS),
  });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.json();
}

// A fresh random UUID. crypto.randomUUID exists only on secure origins, and a hall's laptop may not be one.
export function newNonce() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

// An icon of static/icons.svg, as the templates print it.
export function iconNode(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${document.documentElement.dataset.icons}#i-${name}`);
  svg.append(use);
  return svg;
}
