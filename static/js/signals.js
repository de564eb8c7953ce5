// Tone and vibration of a result. Browsers allow sound only after a tap, so the start button unlocks it.

let audio = null;

export function unlockSound() {
  const Context = globalThis.AudioContext || globalThis.webkitAudioContext;
  if (!Context) return;
  audio ??= new Context();
  audio.resume?.();
}

// [frequency in Hz, start and length in seconds]: rising for yes, twice the same for wait, low for no.
const TONES = {
  ok: [[880, 0, 0.09], [1320, 0.1, 0.14]],
  confirm: [[660, 0, 0.14], [660, 0.2, 0.14]],
  refuse: [[220, 0, 0.4]],
};
const SHAKES = { ok: [60], confirm: [80, 60, 80], refuse: [220, 80, 220] };

export function signal(kind) {
  navigator.vibrate?.(SHAKES[kind] || SHAKES.refuse);
  if (!audio) return;
  for (const [frequency, start, length] of TONES[kind] || TONES.refuse) {
    const from = audio.currentTime + start;
    const tone = audio.createOscillator();
    const loud = audio.createGain();
    tone.frequency.value = frequency;
    loud.gain.setValueAtTime(0.25, from);
    loud.gain.exponentialRampToValueAtTime(0.001, from + length);
    tone.connect(loud).connect(audio.destination);
    tone.start(from);
    tone.stop(from + length);
  }
}
