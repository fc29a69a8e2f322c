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
  const picture = svg("svg", { role: "img", class: "landing", height: HEIGHT });
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
      fill(picture, segments(hit, width, view.token));
      needle.style.transform = `translateX(${(u * width).toFixed(1)}px)`;
      write(needle.firstChild, `u = ${decimal(u, 4)}`);
      needle.classList.toggle("late", u > 0.8);
      const token = view.token(hit.id);
      const where = { u: decimal(u, 4), from: decimal(hit.from, 4), to: decimal(hit.to, 4) };
      const words = t("draw.verdict", { ...where, n: whole(position + 1), token: spoken(token), p: percent(hit.p) });
      write(verdict, words);
      picture.setAttribute("aria-label", words);
      const oncePer = whole(Math.round(1 / hit.p));
      write(why, hit.p > 0.9995 ? t("draw.why.sure") : t("draw.why", { p: percent(hit.p), n: oncePer }));
    },
  };
}

function segments(hit, width, token) {
  const parts = [];
  const words = [];
  let mass = 0;
  let odd = false;
  for (let id = 0; id < hit.weight.length; id++) {
    const p = hit.weight[id];
    const mine = id === hit.id;
    if (p * width >= WIDE_ENOUGH || mine) {
      odd = !odd;
      const kind = mine ? "hit" : odd ? "odd" : "even";
      parts.push(svg("rect", { x: mass * width, width: Math.max(p * width, 1.5), y: 0, height: HEIGHT, class: kind }));
      const text = plain(token(id)).trim();
      if (text.length * 8 + 8 < p * width) {
        const middle = { x: (mass + p / 2) * width, y: HEIGHT / 2 + 5, "text-anchor": "middle" };
        words.push(svg("text", { ...middle, class: kind }, text));
      }
    }
    mass += p;
  }
  return [...parts, ...words];
}
