// A value typed for a step, in the knob's box or in a card's: taken, or refused in words.

import { t } from "./i18n.js";
import { isHuge, legal, readNumber, withStep } from "./settings.js";

/** Give the step `name` what `box` holds. What is no value for it stays in the box, marked, and changes nothing. */
export function take(app, name, box) {
  const text = box.value;
  const value = readNumber(text);
  const fine = legal(name, value);
  box.setAttribute("aria-invalid", String(!fine));
  if (fine) {
    app.set(withStep(app.get(), name, value));
    return;
  }
  const tooLarge = isHuge(text) && legal(name, Infinity); // only where infinity can be had is it worth advising
  app.say(() => (tooLarge ? t("refused.huge", { text }) : t(`refused.${name}`, { text })), true);
}
