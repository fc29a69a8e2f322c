// What could not be read in the link that was opened, until it is closed or another link is opened.

import { at, fill, h } from "./dom.js";
import { t } from "./i18n.js";

/** `show(refused)` with what `fromHash` refused; `forget()` writes it again in another language. */
export function mountNotice() {
  let refused = [];
  const close = h("button", { type: "button", class: "quiet", onclick: () => show([]) });

  function forget() {
    close.textContent = t("link.close");
    const lines = refused.map(({ name, values }) => h("li", {}, t(`link.${name}`, values)));
    at("notice").hidden = lines.length === 0;
    fill(at("notice"), h("strong", {}, t("link.title")), h("ul", {}, lines), close);
  }

  function show(found) {
    refused = found;
    forget();
  }

  return { show, forget, paint() {} };
}
