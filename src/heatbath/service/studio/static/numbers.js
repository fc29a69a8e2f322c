// Six numbers, before -> after.

import { at, fill, h } from "./dom.js";
import { bits, choices, decimal, percent, t, whole } from "./i18n.js";

const ROWS = ["entropy", "nats", "choices", "kept", "mass", "top"];

export function mountNumbers() {
  let cells = null;

  function make() {
    const row = () => ({ before: h("td"), after: h("b"), unit: h("small"), cell: h("td") });
    cells = Object.fromEntries(ROWS.map((name) => [name, row()]));
    const head = ["what", "before", "after"].map((key) => h("th", { scope: "col" }, t(`numbers.${key}`)));
    const body = ROWS.map((name) => {
      const { before, after, unit, cell } = cells[name];
      cell.append(after, unit);
      const head = h("th", { scope: "row", title: t(`numbers.${name}.help`) }, t(`numbers.${name}`));
      return h("tr", { "data-number": name }, head, before, cell);
    });
    fill(at("numbers"), h("table", { class: "numbers" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)));
  }

  function set(row, before, after) {
    cells[row].before.textContent = before;
    cells[row].after.textContent = after;
  }

  return {
    paint({ ranked, result }) {
      if (!cells) make();
      set("entropy", bits(ranked.own.entropy), bits(result.entropy));
      set("nats", decimal(ranked.own.entropy, 4), decimal(result.entropy, 4));
      set("choices", choices(Math.exp(ranked.own.entropy)), choices(Math.exp(result.entropy)));
      set("kept", whole(ranked.allowed), whole(result.kept));
      cells.kept.unit.textContent = ` ${t("numbers.of", { n: whole(ranked.ids.length) })}`;
      set("mass", percent(1), percent(ranked.mass[result.kept]));
      set("top", percent(ranked.own.p[0]), percent(result.p[0]));
    },
    forget: () => (cells = null),
  };
}
