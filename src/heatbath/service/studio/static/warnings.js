// Warnings: what was measured, the threshold, why it matters, and remedies that a click applies. Each measure is taken
// on this next token, on the chosen continuation, or on the model's profile.

import { at, fill, h } from "./dom.js";
import { bits, bitsOf, choices, decimal, degree, language, liveChoices, percent, t, whole } from "./i18n.js";
import { applyChain, atTemperature, heatAlone, solveAxis } from "./maths.js";
import { stepsOf, withStep } from "./settings.js";
import { mean, repeated } from "./surprise.js";

const LIMITS = {
  certain: 0.99, // the best token's probability above which nothing is left to chance
  repeats: 0.25, // share of four-token runs that the continuation had written before
  outside: 0.3, // share of draws outside the model's own 50 best ...
  more: 0.2, // ... and this much more than at T = 1, because some places are open by nature
  surprise: 6, // mean bits per token under the model: one in 64
  few: 2, // live choices per token, on average, below which a good part of all texts goes round in circles
};
const BEST = 50;
const LIVELY = Math.log(4); // nats of mean entropy that a remedy leaves: hardly a text goes round in circles there

/** The share of draws that fall outside the model's own best 50; 0 for vocabularies too small to ask. */
function outside(ranked, result) {
  if (ranked.ids.length < 4 * BEST) return 0;
  let inside = 0;
  for (let i = 0; i < Math.min(BEST, result.kept); i++) inside += result.p[i];
  return Math.max(0, 1 - inside);
}

/** The share of draws outside above which this next token is too hot. */
const tooFar = (ranked) => Math.max(LIMITS.outside, outside(ranked, ranked.own) + LIMITS.more);

/** Whether a continuation repeats itself. */
export const loops = (tokens) => repeated(tokens) > LIMITS.repeats;

/**
 * Nats of mean entropy below which texts go round in circles; null without a profile, for one token tells nothing of
 * texts. A model that is sure of itself at T = 1 does not loop for that: there, half its own entropy is the limit.
 */
const stiff = (scale) => (scale.fromProfile ? Math.min(Math.log(LIMITS.few), scale.entropyAt(1) / 2) : null);

/** Below `low` and above `high` this next token, or the texts, leave the sensible range; null where no temperature does. */
export function zonesOf(ranked, steps, scale) {
  const at_ = (T) => applyChain(ranked, atTemperature(steps, T));
  const heated = steps.some(({ name }) => name === "temperature");
  if (!heated) return { low: null, high: null };
  const open = ranked.own.p[0] < LIMITS.certain && at_(1).kept > 1;
  const limit = tooFar(ranked);
  const far = (T) => outside(ranked, at_(T));
  const lows = [
    open ? solveAxis((T) => -at_(T).p[0], -LIMITS.certain) : null,
    scale.fromProfile ? scale.temperatureAt(stiff(scale)) : null,
  ].filter((low) => low !== null);
  return {
    low: lows.length ? Math.max(...lows) : null,
    high: far(Infinity) > limit ? solveAxis(far, limit) : null,
  };
}

/** The first warning that holds now, in a list: `{ kind, values, remedies: [{ key, values, patch }] }`. */
function findWarnings(view, written) {
  return [noEffect(view), tooLow(view, written), tooHigh(view, written)].filter(Boolean).slice(0, 1);
}

/** Whether T alone, with nothing cut, leaves nothing to chance. */
const frozen = (ranked, T) => heatAlone(ranked, T).best > LIMITS.certain;

function noEffect({ ranked, result, settings, steps, once }) {
  const T = settings.value.temperature;
  if (!settings.on.temperature) {
    return { kind: "off", values: {}, remedies: [toTemperature(settings, T, "remedy.on")] };
  }
  if (result.kept > 1 || ranked.own.p[0] > LIMITS.certain || frozen(ranked, T)) return null;
  const culprit = result.trail.find(({ after }) => after === 1)?.name;
  if (!culprit || culprit === "temperature") return null;
  const alone = applyChain(ranked, steps.filter(({ name }) => name !== culprit));
  const limit = once("settles", () => solveAxis((each) => applyChain(ranked, atTemperature(steps, each)).kept, 2));
  const name = t(`step.${culprit}`);
  const value = settings.value[culprit];
  return {
    kind: limit > 1e6 ? "idle" : "settled",
    values: { T: degree(limit, 2), name, value: decimal(value, 3), n: whole(alone.kept) },
    remedies: [{ key: "remedy.off", values: { name }, patch: withStep(settings, culprit, value, false) }],
  };
}

function tooLow({ ranked, result, settings, steps, scale, once }, written) {
  const T = settings.value.temperature;
  if (!settings.on.temperature || T >= 1) return null;
  const certain = frozen(ranked, T) && ranked.own.p[0] <= LIMITS.certain;
  const again = repeated(written);
  const entropy = scale.entropyAt(T);
  const few = scale.fromProfile && entropy < stiff(scale);
  if (!certain && again <= LIMITS.repeats && !few) return null;
  const best = (each) => applyChain(ranked, atTemperature(steps, each)).p[0];
  const enough = once("loose", () => (best(1) < 0.9 ? solveAxis((each) => -best(each), -0.9) : 1));
  // The text to come is not known yet, so the remedy also leaves the range in which texts begin to repeat themselves.
  const livelier = scale.temperatureAt(Math.max(LIVELY, entropy + Math.LN2));
  const to = Math.min(1, Math.max(roundUp(enough), roundUp(livelier)));
  return {
    kind: certain ? "low" : again > LIMITS.repeats ? "repeats" : "few",
    values: {
      p: percent(result.p[0]),
      before: percent(ranked.own.p[0]),
      repeats: percent(again),
      mean: liveChoices(Math.exp(entropy)),
      own: choices(Math.exp(scale.entropyAt(1))),
      few: few ? choices(Math.exp(stiff(scale))) : "",
    },
    remedies: [toTemperature(settings, to)],
  };
}

function tooHigh({ ranked, result, settings, steps, once }, written) {
  const T = settings.value.temperature;
  if (!settings.on.temperature || T <= 1) return null;
  const share = outside(ranked, result);
  const surprise = written.length >= 20 ? bitsOf(mean(written, "before")) : 0;
  const limit = tooFar(ranked);
  const far = share > limit;
  if (!far && surprise <= LIMITS.surprise) return null;
  const safe = (each) => outside(ranked, applyChain(ranked, atTemperature(steps, each)));
  const to = far ? once("safe", () => Math.max(1, Number(solveAxis(safe, limit - LIMITS.more / 2).toFixed(2)))) : 1;
  const remedies = [toTemperature(settings, to)];
  const order = ["min_p", ...settings.order.filter((name) => name !== "min_p")];
  const guarded = { ...withStep(settings, "min_p", 0.1), order };
  const tamed = applyChain(ranked, stepsOf(guarded));
  if (far && outside(ranked, tamed) <= limit) remedies.push({ key: "remedy.min_p", values: {}, patch: guarded });
  return {
    kind: far ? "high" : "strange",
    values: {
      share: percent(share),
      limit: percent(limit),
      own: percent(outside(ranked, ranked.own)),
      n: BEST,
      surprise: bits(mean(written, "before")),
    },
    remedies,
  };
}

const toTemperature = (settings, T, key = "remedy.temperature") => ({
  key,
  values: { T: degree(T, 2) },
  patch: withStep(settings, "temperature", T),
});

/** The next hundredth above, so that the remedy is on the safe side of what was solved for. */
const roundUp = (T) => Math.ceil(T * 100) / 100;

export function mountWarnings(app) {
  let shown = "";
  return {
    paint(view) {
      const found = findWarnings(view, app.written("chosen"));
      const words = JSON.stringify([language(), found]);
      if (words === shown) return;
      shown = words;
      fill(
        at("warnings"),
        found.map(({ kind, values, remedies }) =>
          h(
            "div",
            { class: `warning ${kind}`, "data-warning": kind },
            h("strong", {}, t(`warn.${kind}`)),
            h("p", {}, t(`warn.${kind}.why`, { ...values, ...limitWords() })),
            h(
              "p",
              { class: "remedies" },
              remedies.map(({ key, values: words, patch }) =>
                h("button", { type: "button", "data-remedy": key, onclick: () => apply(app, patch) }, t(key, words)),
              ),
            ),
          ),
        ),
      );
    },
  };
}

function apply(app, patch) {
  app.set(patch);
  at("knob").focus({ preventScroll: true }); // the button is gone with its warning
}

const limitWords = () => ({
  certain: percent(LIMITS.certain),
  limitRepeats: percent(LIMITS.repeats),
  limitSurprise: decimal(LIMITS.surprise),
});

