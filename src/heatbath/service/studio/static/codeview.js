// The tabs that show the code, and the buttons that copy it.

import { CODE } from "./code.js";
import { at, fill, h, mark, write } from "./dom.js";
import { t } from "./i18n.js";

export async function copy(text) {
  await navigator.clipboard.writeText(text);
}

export function mountCode(app) {
  const names = Object.keys(CODE);
  let chosen = names[0];
  const tabs = names.map((name) => {
    const tab = h("button", { type: "button", role: "tab", id: `tab-${name}`, "data-code": name });
    tab.setAttribute("aria-controls", "code-panel");
    tab.addEventListener("click", () => choose(name));
    return tab;
  });
  const list = h("div", { class: "tabs", role: "tablist", onkeydown: (event) => roam(event) }, tabs);
  const text = h("code");
  const button = h("button", { type: "button", id: "code-copy", onclick: () => take() });
  const note = h("p", { class: "fine" });
  const panel = h("div", { role: "tabpanel", id: "code-panel", tabIndex: 0 }, h("pre", {}, text));
  fill(at("code"), h("div", { class: "row tab-row" }, list, button), panel, note);

  function choose(name) {
    chosen = name;
    app.repaint();
  }

  function roam(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    choose(names.at((names.indexOf(chosen) + step) % names.length));
    tabs[names.indexOf(chosen)].focus();
  }

  async function take() {
    try {
      await copy(text.textContent);
      app.say(() => t("code.copied"));
    } catch {
      app.say(() => t("copy.refused"), true);
    }
  }

  return {
    paint(view) {
      for (const tab of tabs) {
        write(tab, t(`code.${tab.dataset.code}`));
        const mine = tab.dataset.code === chosen;
        mark(tab, "aria-selected", String(mine));
        tab.tabIndex = mine ? 0 : -1;
      }
      mark(panel, "aria-labelledby", `tab-${chosen}`);
      mark(list, "aria-label", t("code.title"));
      const code = CODE[chosen]({
        steps: view.steps,
        seed: view.settings.seed,
        prompt: view.settings.prompt,
        model: view.model.name,
        origin: location.origin,
      });
      write(text, code);
      write(button, t("code.copy"));
      write(note, t(`code.${chosen}.note`));
    },
  };
}
