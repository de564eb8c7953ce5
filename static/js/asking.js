// A form whose answer was lost is asked again with the same key: the server answers the same, and nothing moves twice.
import { signal } from "./signals.js";

const ANSWER_MS = 8000; // a clerk with a line of people is told after so long that nothing came

function say(form, words) {
  let place = form.querySelector("[data-lost]");
  if (!place) {
    place = document.createElement("p");
    place.dataset.lost = "";
    place.setAttribute("role", "alert");
    form.prepend(place);
  }
  place.hidden = !words;
  place.className = words ? "note bad" : "";
  place.textContent = words;
}

function rest(button, isBusy) {
  button.disabled = isBusy;
  if (isBusy) button.setAttribute("aria-busy", "true");
  else button.removeAttribute("aria-busy");
}

// What was answered takes this page's place, so that a form that was refused is not sent once more by habit.
function show(page, address) {
  document.title = page.title;
  document.body.replaceWith(document.adoptNode(page.body));
  const here = address || document.querySelector("[data-live]")?.dataset.live;
  if (here) history.replaceState(null, "", here); // loaded anew, the page asks for nothing that was refused
  scrollTo(0, 0);
  document.dispatchEvent(new Event("swapped"));
}

async function send(form, button) {
  say(form, "");
  rest(button, true);
  let answer, page;
  try {
    answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "text/html" }, credentials: "same-origin", signal: AbortSignal.timeout?.(ANSWER_MS) });
    if (answer.status >= 502) throw new Error("no answer behind the proxy");
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    rest(button, false);
    button.textContent = form.dataset.wordsAsk;
    say(form, form.dataset.wordsLost);
    signal("refuse");
    return;
  }
  if (!answer.redirected) show(page);
  // What is said of the act stands on the page that was fetched, and on no other.
  else if (page.querySelector(".flashes")) show(page, answer.url);
  else location.replace(answer.url); // "back" must not lead to this form again
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-ask-again]")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  // The one button may stand at the foot of the screen.
  const button = [...form.elements].find((each) => each.type === "submit");
  if (!button.disabled) send(form, button);
}, { capture: true });
