// A value typed for a step: taken, or refused in words.

import { t } from "./i18n.js";
import { isHuge, legal, readNumber, withStep } from "./settings.js";

export function take(app, name, box) {
  const text = box.value;
  const value = readNumber(text);
  const fine = legal(name, value);
  box.setAttribute("aria-invalid", String(!fine));
  if (fine) return app.set(withStep(app.get(), name, value));
  const huge = legal(name, Infinity) && isHuge(text);
  return app.say(huge ? t("refused.huge", { text }) : t(`refused.${name}`, { text }), true);
}
