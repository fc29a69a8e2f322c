// One sentence, or two, on what the present setting does to this very next token.

import { choices, degree, liveChoices, percent, t, whole } from "./i18n.js";
import { spoken } from "./tokens.js";

export function sentence({ ranked, result, settings, token }) {
  const T = settings.on.temperature ? settings.value.temperature : 1;
  const top = spoken(token(ranked.ids[0]));
  const size = ranked.allowed; // what was never possible is not cut either
  if (ranked.own.p[0] > 0.99) return t("says.certain", { token: top, p: percent(ranked.own.p[0]) });
  if (T === 0) return t("says.zero", { token: top });
  const parts = [];
  if (result.kept === 1) parts.push(t("says.one", { token: top }));
  else if (T === Infinity) parts.push(t("says.infinite", { n: whole(result.kept) }));
  else {
    const how = T < 1 ? "says.sharpens" : T > 1 ? "says.flattens" : "says.plain";
    const live = { after: liveChoices(Math.exp(result.entropy)), before: choices(Math.exp(ranked.own.entropy)) };
    parts.push(t(how, { T: degree(T), ...live }));
    parts.push(t("says.leads", { token: top, p: percent(result.p[0]), before: percent(ranked.own.p[0]) }));
  }
  const cut = size - result.kept;
  if (cut > 0 && result.kept > 1) {
    parts.push(t("says.cut", { n: whole(cut), all: whole(size), mass: percent(1 - ranked.mass[result.kept]) }));
  }
  return parts.join(t("says.join"));
}
