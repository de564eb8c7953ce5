// A scanner that types like a keyboard, only quicker than any hand, and ends with Enter: read wherever the focus is.

const MEAN_MS_MAX = 50; // a hand takes 80 ms and more from key to key
const PAUSE_MS = 250; // after so long something new begins; some scanners stumble once in a while
const LENGTH_MIN = 6;

// Call take(text) for each code; typing by hand goes on undisturbed.
export function listen(take) {
  let text = "";
  let lastAt = -Infinity;
  let beganAt = -Infinity;
  let field = null;
  let before = "";

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const goesOn = event.timeStamp - lastAt <= PAUSE_MS;
    if (event.key === "Enter") {
      const isQuick = (event.timeStamp - beganAt) / text.length <= MEAN_MS_MAX;
      if (goesOn && isQuick && text.length >= LENGTH_MIN) {
        event.preventDefault();
        event.stopPropagation();
        // What the scanner typed into a field meant for words is taken out again.
        if (field?.isConnected) field.value = before;
        take(text);
      }
      text = "";
      lastAt = -Infinity;
      return;
    }
    if (event.key.length !== 1) return;
    if (!goesOn) {
      text = "";
      beganAt = event.timeStamp;
      field = event.target.matches?.("input, textarea") ? event.target : null;
      before = field?.value ?? "";
    }
    text += event.key;
    lastAt = event.timeStamp;
  }, true);
}
