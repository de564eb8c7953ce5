// Small comforts for every page; everything works without them.

const TOAST_MS = 8000; // look.md: six seconds at least

// A form marked data-once goes out once: a second tap on a slow network would only confuse.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches("[data-once]")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  // After the submit has been read: a disabled button would not send its name and value.
  setTimeout(() => {
    for (const button of form.querySelectorAll("button[type=submit]")) {
      button.disabled = true;
      button.setAttribute("aria-busy", "true");
    }
  });
});

// A device keeps lists of a station, or keys of its person's own codes: leaving.js clears what has to go.
const KEPT = ["pointsbank-station-until", "pointsbank-own-codes-until"];
const keeps = () => { try { return KEPT.some((name) => localStorage.getItem(name)); } catch { return false; } };
if (keeps()) import("./leaving.js").then(({ tidy }) => tidy()).catch(() => {}); // without a network the next page tidies
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches('[action="/sign-out"]')) return;
  const page = document.documentElement;
  page.dataset.leaving = "yes"; // a list that is still on its way is not kept any more
  if (!keeps()) return;
  event.preventDefault();
  import("./leaving.js").then(({ leave }) => leave()).catch(() => true).then((goes) => {
    if (goes) form.submit();
    else delete page.dataset.leaving;
  });
});

// "Back" may show the page as it was left, with its buttons still off.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  delete document.documentElement.dataset.leaving;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button[aria-busy]")) {
      button.disabled = false;
      button.removeAttribute("aria-busy");
    }
  }
});

// In elder mode a message stays until the next page.
if (document.documentElement.dataset.mode !== "elder") {
  for (const toast of document.querySelectorAll("[data-toast]")) {
    setTimeout(() => { if (!toast.matches(":hover, :focus-within")) toast.remove(); }, TOAST_MS);
  }
}

// One question at a time; Escape takes it back.
document.addEventListener("toggle", (event) => {
  if (!event.target.matches?.("details.ask") || !event.target.open) return;
  for (const other of document.querySelectorAll("details.ask[open]")) {
    if (other !== event.target) other.open = false;
  }
}, true);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector("details.ask[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

// A link to #print prints the page as it stands; print.css lays it out.
document.addEventListener("click", (event) => {
  if (!event.target.closest?.('a[href="#print"]')) return;
  event.preventDefault();
  print();
});

// After a refused form the summary is read first.
document.querySelector(".problems")?.focus();
