// One camera scanner for every page: camera, typed code or scanner gun, photo. Sends the event "code" {text, source}.
import { unlockSound } from "./signals.js";

const SAME_CODE_MS = 5000; // a phone held still must not be read again and again
const LOOK_EVERY_MS = 120;
const FRAME_WIDTH = 640; // enough for a code that fills a third of the picture, and quick on an old phone
const PHOTO_WIDTH = 1600;

let nativeReader;
async function nativeDetector() {
  if (nativeReader !== undefined) return nativeReader;
  nativeReader = null;
  try {
    const formats = await globalThis.BarcodeDetector?.getSupportedFormats();
    // Some desktops announce the class without being able to read anything.
    if (formats?.includes("qr_code")) {
      const wanted = formats.filter((format) => format === "qr_code" || format === "code_128");
      nativeReader = new globalThis.BarcodeDetector({ formats: wanted });
    }
  } catch {
    nativeReader = null;
  }
  return nativeReader;
}

const pixels = document.createElement("canvas");
function pictureOf(source, width, height, widest) {
  const scale = Math.min(1, widest / width);
  pixels.width = Math.round(width * scale);
  pixels.height = Math.round(height * scale);
  const pen = pixels.getContext("2d", { willReadFrequently: true });
  pen.drawImage(source, 0, 0, pixels.width, pixels.height);
  return pen.getImageData(0, 0, pixels.width, pixels.height);
}

async function read(source, width, height, widest, thorough = false) {
  const detector = await nativeDetector();
  if (detector) {
    const found = await detector.detect(source);
    if (found.length) return found[0].rawValue;
    if (!thorough) return "";
  }
  // Loaded only now: whoever has a native reader never pays for it.
  const { default: decodeQR } = await import("../vendor/qr/decode.js");
  try {
    return decodeQR(pictureOf(source, width, height, widest), thorough ? { effort: Infinity, timeLimit: 4000 } : {});
  } catch {
    return ""; // the library throws when a picture holds no code
  }
}

export class Scanner {
  constructor(root) {
    this.root = root;
    this.video = root.querySelector("video");
    this.cam = root.querySelector(".cam");
    this.start = root.querySelector("[data-scanner-start]");
    this.trouble = root.querySelector("[data-scanner-problem]");
    this.form = root.querySelector("[data-scanner-form]");
    this.photo = root.querySelector("[data-scanner-photo]");
    this.paused = false;
    this.lastText = "";
    this.lastAt = 0;
    this.start.hidden = false;
    this.photo.hidden = false;
    this.start.addEventListener("click", () => this.open());
    this.form.addEventListener("submit", (event) => this.typed(event));
    this.photo.querySelector("input").addEventListener("change", (event) => this.fromPhoto(event.target));
    document.addEventListener("visibilitychange", () => this.rest());
    addEventListener("pagehide", () => this.close());
  }

  // seenAt: when the picture was taken, on the page's own clock.
  emit(text, source, seenAt = performance.now()) {
    this.root.dispatchEvent(new CustomEvent("code", { bubbles: true, detail: { text, source, seenAt } }));
  }

  problem(words) {
    this.trouble.hidden = !words;
    this.trouble.className = words ? "note bad gap-s" : "gap-s";
    this.trouble.textContent = words || "";
  }

  async open() {
    unlockSound();
    this.problem("");
    if (!navigator.mediaDevices?.getUserMedia) {
      this.problem(isSecureContext ? this.root.dataset.wordsAbsent : this.root.dataset.wordsInsecure);
      return;
    }
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 } } });
    } catch (error) {
      const absent = error.name === "NotFoundError" || error.name === "OverconstrainedError";
      this.problem(absent ? this.root.dataset.wordsAbsent : this.root.dataset.wordsDenied);
      return;
    }
    this.video.srcObject = this.stream;
    this.video.hidden = false;
    this.start.hidden = true;
    this.cam.classList.add("live");
    await this.video.play();
    this.look();
  }

  async look() {
    if (!this.stream) return;
    if (!this.paused && this.video.videoWidth) {
      const seenAt = performance.now();
      const text = await read(this.video, this.video.videoWidth, this.video.videoHeight, FRAME_WIDTH).catch(() => "");
      if (text && !this.paused) this.seen(text, seenAt);
    }
    this.timer = setTimeout(() => this.look(), LOOK_EVERY_MS);
  }

  seen(text, seenAt) {
    const now = Date.now();
    const again = text === this.lastText && now - this.lastAt < SAME_CODE_MS;
    this.lastText = text;
    this.lastAt = now;
    if (!again) this.emit(text, "camera", seenAt);
  }

  // Typed by hand, or by a scanner gun, which types and presses Enter.
  typed(event) {
    event.preventDefault();
    const input = this.form.querySelector('input[name="code"]');
    const text = input.value.trim();
    input.value = "";
    if (text) this.emit(text, "typed");
  }

  async fromPhoto(input) {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    unlockSound();
    this.problem("");
    try {
      const picture = await createImageBitmap(file);
      const text = await read(picture, picture.width, picture.height, PHOTO_WIDTH, true);
      if (text) this.emit(text, "photo");
      else this.problem(this.root.dataset.wordsUnread);
    } catch {
      this.problem(this.root.dataset.wordsUnread);
    }
  }

  pause() { this.paused = true; }

  resume() {
    this.paused = false;
    this.lastAt = this.lastText ? Date.now() : 0; // the phone just read is often still in view
  }

  // A hidden page lets the camera go, so that its light does not stay on in a pocket.
  rest() {
    if (document.hidden) this.close();
    else if (this.wasOpen) this.open();
  }

  close() {
    this.wasOpen = Boolean(this.stream);
    clearTimeout(this.timer);
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.hidden = true;
    this.start.hidden = false;
    this.cam.classList.remove("live");
  }
}
