// Draw a QR code and move a countdown ring, by SVG attributes only: the content policy forbids style=.
import encodeQR from "../vendor/qr/index.js";

const SVG = "http://www.w3.org/2000/svg";
// ISO/IEC 18004 asks for four; the server's picture has the same, so nothing jumps when this one takes its place.
const QUIET_MODULES = 4;

// Put the code of `text` into a [data-qr] box, in place of what stood there.
export function drawCode(box, text) {
  const rows = encodeQR(text, "raw", { ecc: "medium", border: QUIET_MODULES });
  let path = "";
  rows.forEach((row, y) => {
    let x = 0;
    while (x < row.length) {
      if (!row[x]) { x += 1; continue; }
      const from = x;
      while (x < row.length && row[x]) x += 1;
      path += `M${from} ${y}h${x - from}v1h${from - x}z`;
    }
  });
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${rows.length} ${rows.length}`);
  svg.setAttribute("aria-hidden", "true"); // the box carries the name
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("fill", "currentColor");
  shape.setAttribute("d", path);
  svg.append(shape);
  box.replaceChildren(svg);
}

// More seconds than these are read as minutes; templates/components/codes.html has the same.
const MINUTES_ABOVE = 120;

// Show `left` of `total` seconds on a [data-ring].
export function setRing(ring, left, total) {
  const seconds = Math.max(0, Math.ceil(left));
  const arc = ring.querySelector(".go");
  arc.setAttribute("pathLength", String(total));
  arc.setAttribute("stroke-dasharray", `${Math.max(0, left)} ${total}`);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  ring.querySelector("b").textContent = total > MINUTES_ABOVE ? clock : String(seconds);
}

// Write 18 digits as 4-4-4-6 in two pieces, so that a narrow screen breaks between them.
export function setDigits(place, digits) {
  place.hidden = !digits;
  if (!digits) return;
  const [first, second] = place.querySelectorAll("span");
  first.textContent = `${digits.slice(0, 4)} ${digits.slice(4, 8)}`;
  second.textContent = `${digits.slice(8, 12)} ${digits.slice(12)}`;
}
