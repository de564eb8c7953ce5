// What a page is asked after it was laid out; docs/look.md gives the sizes. Answers a list of faults.
(language) => {
  const out = [], root = document.documentElement, width = root.clientWidth;
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
  }
  const seen = new Set();
  for (const one of document.querySelectorAll("body *")) {
    if (one.closest("svg, .vh, script, noscript") || !one.checkVisibility()) continue;
    const own = [...one.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent.trim()).join(" ").trim();
    if (!own) continue;
    const style = getComputedStyle(one), size = parseFloat(style.fontSize);
    if (size < text - .01 && !seen.has(size)) { seen.add(size); out.push(`small text: ${size} ${own.slice(0, 14)}`); }
    if (style.overflow !== "visible" && one.scrollWidth > one.clientWidth + 2 && style.display !== "inline") out.push(`cut off: ${own.slice(0, 20)}`);
    if (language === "zh" && /[A-Za-z]{4,}/.test(own) && !/^English$|https?:|Pointsbank/.test(own)) out.push(`English: ${own.slice(0, 60)}`);
    if (language === "en" && /[\u4e00-\u9fff]{2,}/.test(own) && one.closest("label, button, h1, h2, nav, th, summary, .cap, .lead") && !/^中文$/.test(own)) out.push(`Chinese: ${own.slice(0, 40)}`);
  }
  return out;
}
