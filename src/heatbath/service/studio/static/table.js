// The twin of a picture: the same numbers as a table, made when it is opened, and as a file to go on with.

import { fill, h, write } from "./dom.js";
import { t } from "./i18n.js";

/**
 * A closed table; `rows()` gives the header and the rows. A cell is a text, or `[text, exact]` where the file is to hold
 * more than is shown. Call `update()` after every change. The file is called `name`.csv.
 */
export function twin(name, rows) {
  const body = h("div", { class: "twin-body" });
  const summary = h("summary");
  const button = h("button", { type: "button", class: "quiet", onclick: () => save(`${name}.csv`, csv(rows())) });
  const details = h("details", { class: "twin", ontoggle: () => update() }, summary, body, button);
  function update() {
    write(summary, t("table"));
    write(button, t("table.save"));
    if (!details.open) return;
    const [header, ...lines] = rows();
    const cell = (value, i) => (i ? h("td", {}, shown(value)) : h("th", { scope: "row" }, shown(value)));
    const head = h("thead", {}, h("tr", {}, header.map((text) => h("th", { scope: "col" }, text))));
    fill(body, h("table", {}, head, h("tbody", {}, lines.map((line) => h("tr", {}, line.map(cell))))));
  }
  return { element: details, update };
}

const shown = (cell) => (Array.isArray(cell) ? cell[0] : cell);
const exact = (cell) => String(Array.isArray(cell) ? cell[1] : cell);

/** As RFC 4180 has it: quoted where it must be, a quote doubled. */
function csv(rows) {
  const field = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => `${row.map((cell) => field(exact(cell))).join(",")}\r\n`).join("");
}

function save(name, text) {
  const address = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" })); // the mark tells spreadsheets UTF-8
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
