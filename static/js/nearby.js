// Offers to sort tasks by distance. The position is rounded here, goes out in a form, and is kept nowhere.

const WAIT_MS = 10000;
const MAXIMUM_AGE_MS = 300000; // a position of the last five minutes will do
const DECIMALS = 3; // about a hundred metres

const form = document.querySelector("[data-nearby]");

function send({ coords }) {
  form.elements.latitude.value = coords.latitude.toFixed(DECIMALS);
  form.elements.longitude.value = coords.longitude.toFixed(DECIMALS);
  form.submit();
}

function tellOfFailure() {
  form.querySelector("[data-nearby-failed]").hidden = false;
  form.querySelector("button").disabled = false;
}

// Browsers give positions on secure origins only; elsewhere nothing is offered.
if (form && "geolocation" in navigator && isSecureContext) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    form.querySelector("button").disabled = true;
    navigator.geolocation.getCurrentPosition(send, tellOfFailure, {
      timeout: WAIT_MS,
      maximumAge: MAXIMUM_AGE_MS,
    });
  });
}
