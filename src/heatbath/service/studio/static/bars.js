// The next token, before and after: hollow bars are the model alone (T = 1), solid bars what is drawn from, hatched
// ones what is cut. Rows are made once per prompt; while the knob moves only widths and numbers change.

import { at, fill, h } from "./dom.js";
import { evenPercent, percent, t, whole } from "./i18n.js";
import { twin } from "./table.js";
import { label, plain, spoken } from "./tokens.js";

const FEW = 17;
const MANY = 50;

export function mountBars(app) {
  let rows = [];
  let shown = FEW;
  let madeFor = null;
  const list = h("div", { class: "bars", role: "img" });
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
    fill(list, rows.map((each) => each.element), cut);
    const swatches = [["hollow", "bars.before"], ["solid", "bars.after"], ["hatched", "bars.cut"]];
    fill(key, swatches.map(([kind, word]) => h("span", { class: `swatch ${kind}` }, t(word))));
    more.hidden = view.ranked.allowed <= FEW;
    more.textContent = t(shown === FEW ? "bars.more" : "bars.fewer", { n: shown === FEW ? MANY : FEW });
  }

  function paint(view) {
    if (madeFor !== view.ranked) make(view);
    const { ranked, result } = view;
    const count = rows.length - 1;
    const others = { before: 1 - ranked.mass[count], after: sum(result.p, count) };
    const longest = Math.max(ranked.own.p[0], result.p[0]);
    for (let i = 0; i < count; i++) {
      set(rows[i], ranked.own.p[i], i < result.kept ? result.p[i] : 0, longest, i >= result.kept);
    }
    const last = rows[count];
    set(last, Math.max(0, others.before), others.after, longest, result.kept <= count);
    last.label.textContent = t("bars.others", { n: whole(ranked.allowed - count) });
    last.element.hidden = ranked.allowed === count;
    paintCut(view, count);
    list.setAttribute("aria-label", summary(view));
    table.update();
  }

  function paintCut(view, count) {
    const { kept } = view.result;
    const cutting = view.result.trail.filter(({ name, before, after }) => after < before && name !== "temperature");
    const names = cutting.map(({ name }) => t(`step.${name}`));
    const inside = kept <= count && kept < view.ranked.allowed;
    list.classList.toggle("has-cut", inside);
    cut.style.gridRow = inside ? String(kept + 1) : "auto";
    cut.hidden = kept === view.ranked.allowed;
    const by = names.length ? names.join(" + ") : t("step.temperature");
    cut.textContent = t(inside ? "bars.cut.here" : "bars.cut.below", { by, n: whole(kept) });
    rows.forEach((each, i) => (each.element.style.gridRow = String(inside && i >= kept ? i + 2 : i + 1)));
    if (!inside) cut.style.gridRow = String(count + 2);
  }

  return { paint, forget: () => (madeFor = null) };
}

function row(nodes, kind = "") {
  const name = h("span", { class: "bar-label" }, nodes);
  const [before, after] = [h("i", { class: "hollow" }), h("i", { class: "solid" })];
  const [was, now] = [h("span", { class: "was" }), h("span", { class: "now" })];
  const element = h("div", { class: `bar ${kind}` }, name, h("span", { class: "bar-track" }, before, after), was, now);
  return { label: name, before, after, was, now, element };
}

function set(parts, before, after, longest, isCut) {
  stretch(parts.before, before, longest);
  stretch(parts.after, after, longest);
  parts.element.classList.toggle("cut", isCut);
  parts.was.textContent = evenPercent(before);
  parts.now.textContent = isCut ? "–" : evenPercent(after);
}

/** All the other tokens together can have more than the longest bar stands for: theirs then runs out of the picture. */
function stretch(bar, p, longest) {
  bar.style.width = `${Math.min(100, (100 * p) / longest)}%`;
  bar.classList.toggle("over", p > longest);
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
