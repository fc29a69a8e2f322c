// Six numbers, before -> after. The name of each is a button that opens its explanation.

import { at, fill, h, write } from "./dom.js";
import { bitsOf, choices, decimal, evenPercent, percent, t, whole } from "./i18n.js";

const ROWS = ["entropy", "nats", "choices", "kept", "mass", "top"];

export function mountNumbers() {
  const open = new Set(); // rows whose explanation is open
  let cells = null;

  function make() {
    const row = () => ({ before: h("td"), after: h("b"), unit: h("small"), cell: h("td") });
    cells = Object.fromEntries(ROWS.map((name) => [name, row()]));
    const head = ["what", "before", "after"].map((key) => h("th", { scope: "col" }, t(`numbers.${key}`)));
    const body = ROWS.map((name) => {
      const { before, after, unit, cell } = cells[name];
      cell.append(after, unit);
      const id = `explains-${name}`;
      const help = h("tr", { id, class: "explains" }, h("td", { className: "fine", colSpan: 3 }, t(`numbers.${name}.help`)));
      const button = h("button", { type: "button", "aria-controls": id, onclick: flip }, t(`numbers.${name}`));
      const show = () => {
        help.hidden = !open.has(name);
        button.setAttribute("aria-expanded", String(open.has(name)));
      };
      function flip() {
        if (!open.delete(name)) open.add(name);
        show();
      }
      show();
      return [h("tr", { "data-number": name }, h("th", { scope: "row" }, button), before, cell), help];
    });
    fill(at("numbers"), h("table", { class: "numbers" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)));
  }

  function set(row, before, after) {
    write(cells[row].before, before);
    write(cells[row].after, after);
  }

  return {
    paint({ ranked, result }) {
      if (!cells) make();
      set("entropy", decimal(bitsOf(ranked.own.entropy), 2, 2), decimal(bitsOf(result.entropy), 2, 2));
      set("nats", decimal(ranked.own.entropy, 4, 4), decimal(result.entropy, 4, 4));
      set("choices", choices(Math.exp(ranked.own.entropy)), choices(Math.exp(result.entropy)));
      set("kept", whole(ranked.allowed), whole(result.kept));
      write(cells.kept.unit, ` ${t("numbers.of", { n: whole(ranked.allowed) })}`);
      set("mass", percent(1), evenPercent(ranked.mass[result.kept]));
      set("top", evenPercent(ranked.own.p[0]), evenPercent(result.p[0]));
    },
    forget: () => (cells = null),
  };
}
