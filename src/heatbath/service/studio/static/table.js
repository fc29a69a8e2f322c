// The twin of a picture: the same numbers as a table, made when it is opened.

import { fill, h } from "./dom.js";
import { t } from "./i18n.js";

/** A closed table; `rows()` gives the header and the rows as texts. Call `update()` after every change. */
export function twin(rows) {
  const body = h("div", { class: "twin-body" });
  const summary = h("summary");
  const details = h("details", { class: "twin", ontoggle: () => update() }, summary, body);
  function update() {
    summary.textContent = t("table");
    if (!details.open) return;
    const [header, ...lines] = rows();
    const cell = (text, i) => (i ? h("td", {}, text) : h("th", { scope: "row" }, text));
    const head = h("thead", {}, h("tr", {}, header.map((text) => h("th", { scope: "col" }, text))));
    fill(body, h("table", {}, head, h("tbody", {}, lines.map((line) => h("tr", {}, line.map(cell))))));
  }
  return { element: details, update };
}
