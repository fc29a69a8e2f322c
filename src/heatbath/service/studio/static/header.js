// Language, theme, and the link to share.

import { copy } from "./codeview.js";
import { at, mark, write } from "./dom.js";
import { language, remember, remembered, t } from "./i18n.js";
import { toHash } from "./url.js";

const THEMES = ["auto", "light", "dark"];

export function mountHeader(app) {
  const root = document.documentElement;
  const first = remembered("theme");
  if (THEMES.includes(first)) root.dataset.theme = first;

  at("language").addEventListener("click", () => {
    const other = language() === "en" ? "zh" : "en";
    remember("language", other);
    app.retranslate(other);
  });
  at("theme").addEventListener("click", () => {
    root.dataset.theme = THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length];
    remember("theme", root.dataset.theme);
    paint();
  });
  at("share-copy").addEventListener("click", async () => {
    const hash = toHash(app.get(), { language: language(), withPrompt: app.withPrompt() });
    try {
      await copy(`${location.origin}${location.pathname}${hash}`);
      app.say(() => t("share.copied"));
      at("share").open = false;
    } catch {
      app.say(() => t("copy.refused"), true);
    }
  });
  at("share").addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    at("share").open = false;
    at("share").querySelector("summary").focus();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!at("share").contains(event.target)) at("share").open = false;
  });

  function paint() {
    const other = language() === "en" ? "zh" : "en";
    write(at("language"), other === "zh" ? "中文" : "English");
    mark(at("language"), "lang", other === "zh" ? "zh-CN" : "en");
    const theme = t(`theme.${root.dataset.theme}`);
    write(at("theme"), theme);
    mark(at("theme"), "aria-label", t("theme.label", { theme }));
  }

  return { paint, forget: paint }; // also while there is nothing to show yet
}
