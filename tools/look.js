// What a page is asked after it was laid out; docs/look.md gives the sizes. Answers a list of faults.
(language) => {
  const out = [], root = document.documentElement, width = root.clientWidth;
  if (!root.lang.startsWith(language)) out.push(`language of the page: ${root.lang || "none"}`);
  for (const one of document.querySelectorAll("h1, h2, h3, th, legend, label")) {
    if (!one.textContent.trim() && !one.querySelector("[aria-label]") && one.checkVisibility()) out.push(`says nothing: ${one.tagName}`);
  }
  if (root.scrollWidth > width) {
    out.push(`wider than the screen: ${root.scrollWidth} > ${width}`);
    for (const one of document.querySelectorAll("body *")) {
      const box = one.getBoundingClientRect();
      if (box.right > width + 1 && box.width && !one.closest(".nav, svg") && out.length < 6) out.push(`  ${one.tagName}.${one.className.baseVal ?? one.className} ${Math.round(box.right)}`);
    }
  }
  const elder = root.dataset.mode === "elder", target = elder ? 60 : 44, text = elder ? 20 : 15;
  for (const one of document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea, summary")) {
    if (one.closest(".skip, [inert], .vh") || !one.checkVisibility()) continue;
    let box = one.getBoundingClientRect();
    if (["checkbox", "radio", "file"].includes(one.type)) box = one.closest("label")?.getBoundingClientRect() ?? box;
    const inSentence = getComputedStyle(one).display === "inline" && one.tagName === "A";
    if (box.height && (box.height < target - .5 || box.width < target - .5) && !inSentence) out.push(`small target: ${(one.textContent.trim() || one.name).slice(0, 14)} ${Math.round(box.width)}x${Math.round(box.height)}`);
    if (one.matches("input.input") && one.value && one.scrollWidth > one.clientWidth + 2) out.push(`cut off in its field: ${one.value.slice(0, 20)}`);
  }
  // Ground under a text: the first opaque colours behind it, mixed. A picture behind it cannot be judged here.
  const parts = (colour) => (colour.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const over = ([r, g, b, a = 1], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
  const ground = (one) => {
    const layers = [];
    for (let at = one; at; at = at.parentElement) {
      const colour = parts(getComputedStyle(at).backgroundColor);
      if (colour[3] === 0) continue;
      layers.push(colour);
      if (colour.length < 4 || colour[3] === 1) break;
    }
    return layers.reduceRight((under, colour) => over(colour, under), [255, 255, 255]);
  };
  const light = (colour) => colour.slice(0, 3).map((c) => c / 255).map((c) => (c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)).reduce((sum, c, n) => sum + c * [.2126, .7152, .0722][n], 0);
  const contrast = (one, style) => {
    const under = ground(one), ink = over(parts(style.color), under);
    const [dark, bright] = [light(under), light(ink)].sort((a, b) => a - b);
    return (bright + .05) / (dark + .05);
  };
  const seen = new Set(), pale = new Set();
  for (const one of document.querySelectorAll("body *")) {
    if (one.closest("svg, .vh, script, noscript, [inert]") || !one.checkVisibility()) continue;
    const own = [...one.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent.trim()).join(" ").trim();
    if (!own) continue;
    const style = getComputedStyle(one), size = parseFloat(style.fontSize);
    if (size < text - .01 && !seen.has(size)) { seen.add(size); out.push(`small text: ${size} ${own.slice(0, 14)}`); }
    if (style.overflow !== "visible" && one.scrollWidth > one.clientWidth + 2 && style.display !== "inline") out.push(`cut off: ${own.slice(0, 20)}`);
    if (one.matches(".btn, .tile, .switch *, th") && one.scrollWidth > one.clientWidth + 2) out.push(`sticks out: ${own.slice(0, 20)}`);
    const ratio = contrast(one, style);
    if (ratio < 4.5 && !one.closest(".skip, [disabled]") && !pale.has(own)) { pale.add(own); out.push(`pale: ${ratio.toFixed(2)} ${own.slice(0, 14)}`); }
    if (language === "zh" && /[A-Za-z]{4,}/.test(own) && !/^English$|https?:|Pointsbank/.test(own)) out.push(`English: ${own.slice(0, 60)}`);
    if (language === "en" && /[\u4e00-\u9fff]{2,}/.test(own) && one.closest("label, button, h1, h2, nav, th, summary, .cap, .lead") && !/^中文$/.test(own)) out.push(`Chinese: ${own.slice(0, 40)}`);
  }
  // A word or figure is never parted, unless at a hyphen or a stroke; fingerprints are.
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), parted = new Set();
  while (texts.nextNode()) {
    const node = texts.currentNode, one = node.parentElement;
    if (!node.textContent.trim() || one.closest("svg, .vh, .skip, script, noscript, [inert], .digest, .root") || !one.checkVisibility()) continue;
    for (const word of node.textContent.matchAll(/[A-Za-z0-9]{2,24}(?![A-Za-z0-9])/g)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const tops = [...range.getClientRects()].filter((box) => box.width).map((box) => box.top);
      if (Math.max(...tops) - Math.min(...tops) > 4) parted.add(word[0]);
    }
  }
  for (const word of parted) out.push(`parted: ${word}`);
  return out;
}
