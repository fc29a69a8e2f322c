// The next token, before and after: hollow bars are the model alone (T = 1), solid bars what is drawn from, hatched
// ones what is cut. The scale belongs to the model alone, so what T cannot change holds still. Rows are made once per
// prompt; while the knob moves only what changes is written.

import { at, fill, h, mark, write } from "./dom.js";
import { decimal, evenPercent, percent, t, whole } from "./i18n.js";
import { twin } from "./table.js";
import { label, plain, spoken } from "./tokens.js";

const FEW = 10;
const MANY = 50;
const ROOM = 3; // how many times the model's best token the scale holds at least: cold makes bars longer

export function mountBars(app) {
  let rows = [];
  let shown = FEW;
  let madeFor = null;
  const list = h("div", { class: "bars", role: "img" });
  const axis = h("p", { class: "bars-axis", "aria-hidden": "true" });
  let top = 1;
  const more = h("button", { type: "button", class: "quiet", onclick: () => resize() });
  const key = h("p", { class: "fine key" });
  const cut = h("p", { class: "cut-line" });
  const table = twin("next-token", () => tableRows(app.view(), shown));
  fill(at("bars"), key, list, h("div", { class: "row" }, more, table.element));

  function resize() {
    shown = shown === FEW ? MANY : FEW;
    madeFor = null;
    app.repaint();
  }

  function make(view) {
    madeFor = view.ranked;
    const ids = [...view.ranked.ids.subarray(0, Math.min(shown, view.ranked.allowed))];
    rows = ids.map((id) => row(label(view.token(id))));
    rows.push(row([""], "others"));
    top = scaleFor(view.ranked.own.p[0]);
    fill(axis, h("span"), h("span", { class: "bar-track" }, ticksOf(top)), h("span"), h("span"));
    fill(list, axis, rows.map((each) => each.element), cut);
    const swatches = [["hollow", "bars.before"], ["solid", "bars.after"], ["hatched", "bars.cut"]];
    fill(key, swatches.map(([kind, word]) => h("span", { class: `swatch heated ${kind}` }, t(word))));
    more.hidden = view.ranked.allowed <= FEW;
    more.textContent = t(shown === FEW ? "bars.more" : "bars.fewer", { n: shown === FEW ? MANY : FEW });
  }

  function paint(view) {
    if (madeFor !== view.ranked) make(view);
    const { ranked, result } = view;
    const count = rows.length - 1;
    const others = { before: 1 - ranked.mass[count], after: sum(result.p, count) };
    for (let i = 0; i < count; i++) {
      set(rows[i], ranked.own.p[i], i < result.kept ? result.p[i] : 0, top, i >= result.kept);
    }
    const last = rows[count];
    set(last, Math.max(0, others.before), others.after, top, result.kept <= count);
    write(last.label, t("bars.others", { n: whole(ranked.allowed - count) }));
    last.element.hidden = ranked.allowed === count;
    paintCut(view, count);
    mark(list, "aria-label", summary(view));
    table.update();
  }

  function paintCut(view, count) {
    const { kept } = view.result;
    const cutting = view.result.trail.filter(({ name, before, after }) => after < before && name !== "temperature");
    const names = cutting.map(({ name }) => t(`step.${name}`));
    const inside = kept <= count && kept < view.ranked.allowed;
    cut.classList.toggle("inside", inside);
    cut.classList.toggle("none", kept === view.ranked.allowed); // it keeps its place, so that nothing below it jumps
    const by = names.length ? names.join(" + ") : t("step.temperature");
    write(cut, t(inside ? "bars.cut.here" : "bars.cut.below", { by, n: whole(kept) }));
    const next = inside ? rows[kept].element : null;
    if (cut.nextSibling !== next) list.insertBefore(cut, next);
  }

  return { paint, forget: () => (madeFor = null) };
}

function row(nodes, kind = "") {
  const name = h("span", { class: "bar-label" }, nodes);
  const [before, after] = [h("i", { class: "hollow" }), h("i", { class: "solid heated" })];
  const [was, now] = [h("span", { class: "was" }), h("span", { class: "now" })];
  const element = h("div", { class: `bar ${kind}` }, name, h("span", { class: "bar-track" }, before, h("span", { class: "bar-after" }, after)), was, now);
  return { label: name, before, after, was, now, element };
}

/** The end of the scale, a round number: at most 1, at least `ROOM` times the best. */
function scaleFor(best) {
  const least = Math.min(1, ROOM * best);
  const power = 10 ** Math.floor(Math.log10(least));
  return Math.min(1, [1, 2, 3, 4, 5, 6, 8, 10].find((each) => each * power >= least * (1 - 1e-9)) * power);
}

/** Its marks: the ends, and the middle. */
const ticksOf = (top) =>
  [0, top / 2, top].map((p, i) => h("small", { class: `tick tick-${i}` }, `${decimal(100 * p, 3)}%`));

function set(parts, before, after, top, isCut) {
  // The one is an outline, which scaling would thin out, and it rests; the other is filled, moves, and needs no layout.
  const share = Math.min(1, before / top);
  if (parts.share !== share) parts.before.style.width = `${100 * (parts.share = share)}%`;
  parts.before.classList.toggle("over", before > top);
  parts.after.style.transform = `scaleX(${Math.min(1, after / top)})`;
  parts.after.parentElement.classList.toggle("over", after > top);
  parts.element.classList.toggle("cut", isCut);
  write(parts.was, evenPercent(before));
  write(parts.now, isCut ? "–" : evenPercent(after));
}

function sum(p, from) {
  let total = 0;
  for (let i = from; i < p.length; i++) total += p[i];
  return total;
}

function summary({ ranked, result, token }) {
  const first = token(ranked.ids[0]);
  return t("bars.summary", {
    token: spoken(first),
    before: percent(ranked.own.p[0]),
    after: percent(result.p[0]),
    kept: whole(result.kept),
    all: whole(ranked.allowed),
  });
}

function tableRows({ ranked, result, token }, shown) {
  const header = ["table.rank", "table.token", "table.before", "table.after"].map((key) => t(key));
  const count = Math.min(shown, ranked.allowed);
  const share = (p) => [evenPercent(p), p];
  const lines = Array.from({ length: count }, (_, i) => [
    [whole(i + 1), i + 1],
    [spoken(token(ranked.ids[i])), plain(token(ranked.ids[i]))],
    share(ranked.own.p[i]),
    i < result.kept ? share(result.p[i]) : [t("table.cut"), 0],
  ]);
  const others = t("bars.others", { n: whole(ranked.allowed - count) });
  const rest = [Math.max(0, 1 - ranked.mass[count]), sum(result.p, count)].map(share);
  return [header, ...lines, [t("table.rest"), others, ...rest]];
}
