// The draw, made visible: the probabilities end to end in the order of token ids, and the number u that lands on them.

import { at, fill, h, mark, shownIn, svg, write } from "./dom.js";
import { decimal, percent, t, whole } from "./i18n.js";
import { drawAt } from "./maths.js";
import { uniform } from "./random.js";
import { readNumber } from "./settings.js";
import { plain, spoken } from "./tokens.js";

const HEIGHT = 46;
const WIDE_ENOUGH = 2; // pixels: narrower tokens are left to the hatched ground

export function mountDraw(app) {
  const seed = h("input", { type: "text", inputMode: "numeric", autocomplete: "off", id: "seed" });
  seed.addEventListener("change", () => setSeed(seed.value));
  const seedLabel = h("label", { for: "seed" });
  const next = () => app.set({ seed: (app.get().seed + 1) % Number.MAX_SAFE_INTEGER });
  const again = h("button", { type: "button", id: "draw-again", onclick: next });
  const pieces = Object.fromEntries(["odd", "even", "hit"].map((kind) => [kind, svg("path", { class: kind })]));
  pieces.hit.classList.add("heated");
  const words = svg("g");
  const picture = svg("svg", { role: "img", class: "landing", height: HEIGHT }, Object.values(pieces), words);
  const needle = h("div", { class: "needle", "aria-hidden": "true" }, h("span"));
  const verdict = h("p", { class: "verdict" });
  const why = h("p", { class: "fine" });
  const frame = h("div", { class: "landing-frame" }, needle, picture);
  const row = h("div", { class: "row" }, h("span", { class: "field" }, seedLabel, seed), again);
  fill(at("draw"), row, frame, verdict, why);
  let width = 0;
  new ResizeObserver(([{ contentRect }]) => {
    width = contentRect.width;
    app.repaint();
  }).observe(frame);

  const show = shownIn(seed);

  function setSeed(text) {
    const value = readNumber(text);
    const legal = Number.isSafeInteger(value) && value >= 0;
    seed.setAttribute("aria-invalid", String(!legal));
    if (legal) app.set({ seed: value });
    else app.say(() => t("refused.seed", { text }), true);
  }

  /** One shape for every kind, and words where they fit: the ground shows through between those that are too narrow. */
  function paintSegments(view, hit) {
    const shapes = { odd: "", even: "", hit: "" };
    const labels = [];
    for (const [i, { id, from, p }] of wide(view, hit, WIDE_ENOUGH / width).entries()) {
      const kind = id === hit.id ? "hit" : i % 2 ? "even" : "odd";
      const span = Math.max(p * width, id === hit.id ? 1.5 : 0);
      shapes[kind] += `M${(from * width).toFixed(2)} 0h${span.toFixed(2)}v${HEIGHT}h${-span.toFixed(2)}z`;
      const text = plain(view.token(id)).trim();
      if (text.length * 8 + 8 < p * width) labels.push({ text, x: ((from + p / 2) * width).toFixed(1), class: kind });
    }
    for (const [kind, shape] of Object.entries(shapes)) mark(pieces[kind], "d", shape);
    while (words.childNodes.length > labels.length) words.lastChild.remove();
    while (words.childNodes.length < labels.length) words.append(svg("text", { y: HEIGHT / 2 + 5, "text-anchor": "middle" }));
    for (const [i, { text, ...place }] of labels.entries()) {
      for (const [name, value] of Object.entries(place)) mark(words.childNodes[i], name, value);
      write(words.childNodes[i], text);
    }
  }

  return {
    paint(view) {
      if (width === 0) return;
      const position = view.look?.position ?? 0;
      const u = uniform(view.settings.seed, position);
      const hit = drawAt(view.ranked, view.result, u);
      app.want([hit.id]);
      write(seedLabel, t("draw.seed"));
      write(again, t("draw.again"));
      show(String(view.settings.seed));
      mark(picture, "width", width);
      paintSegments(view, hit);
      needle.style.transform = `translateX(${(u * width).toFixed(1)}px)`;
      write(needle.firstChild, `u = ${decimal(u, 4)}`);
      needle.classList.toggle("late", u > 0.8);
      const token = view.token(hit.id);
      const where = { u: decimal(u, 4), from: decimal(hit.from, 4), to: decimal(hit.to, 4) };
      const told = t("draw.verdict", { ...where, n: whole(position + 1), token: spoken(token), p: percent(hit.p) });
      write(verdict, told);
      mark(picture, "aria-label", told);
      const oncePer = whole(Math.round(1 / hit.p));
      write(why, hit.p > 0.9995 ? t("draw.why.sure") : t("draw.why", { p: percent(hit.p), n: oncePer }));
    },
  };
}

/** The tokens with at least the share `least`, and the one that was hit, in the order of their ids. */
function wide({ ranked, result }, hit, least) {
  const ids = [];
  for (let i = 0; i < result.kept && result.p[i] >= least; i++) ids.push(ranked.ids[i]);
  if (!(hit.p >= least)) ids.push(hit.id);
  return ids
    .sort((a, b) => a - b)
    .map((id) => ({ id, p: result.p[ranked.ranks[id]], from: id ? hit.running[id - 1] : 0 }));
}
