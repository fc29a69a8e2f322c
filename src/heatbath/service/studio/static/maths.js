// The arithmetic of one choice, in float64, from every score of the vocabulary. It follows heatbath.sampling rule by
// rule (tests compare the two), so that what the page shows is what would be drawn from.
//
// Every step keeps the order of the scores, and options with equal scores share one fate. So a chain always keeps the
// first `kept` options of the sorted list, and one sort per prompt serves every setting.

/** Sort the scores once: `ids[i]` is the token of rank i, `gaps[i]` its score minus the best (-Infinity: forbidden). */
export function rankScores(logits) {
  const ids = Uint32Array.from(logits, (_, index) => index);
  ids.sort((a, b) => logits[b] - logits[a] || a - b); // -Infinity - -Infinity is NaN, which falls to the index as well
  const gaps = Float64Array.from(ids, (id) => logits[id] - logits[ids[0]]);
  let allowed = gaps.length;
  while (allowed > 1 && gaps[allowed - 1] === -Infinity) allowed--;
  const weights = gaps.map(Math.exp); // of the scores as they are; an exponential is what a large vocabulary waits for
  const own = distribution({ scores: gaps, weights, kept: allowed });
  const mass = new Float64Array(gaps.length + 1); // mass[n]: probability of the n best under the model itself
  for (let i = 0; i < gaps.length; i++) mass[i + 1] = mass[i] + (i < allowed ? own.p[i] : 0);
  return { ids, gaps, weights, allowed, own, mass, heated: null, byId: null };
}

/** Of the first `kept` scores, of which the best is 0, with their exponentials `weights`: the sum and the entropy (nats). */
function sums({ scores, weights, kept }) {
  let total = 0;
  let weighted = 0;
  for (let i = 0; i < kept; i++) {
    const weight = weights[i];
    total += weight;
    if (weight > 0) weighted += weight * scores[i];
  }
  return { total, entropy: Math.max(0, Math.log(total) - weighted / total) };
}

/** Their probabilities as well. */
function distribution(now) {
  const { total, entropy } = sums(now);
  const p = new Float64Array(now.kept);
  for (let i = 0; i < now.kept; i++) p[i] = now.weights[i] / total;
  return { p, kept: now.kept, entropy };
}

/** The first `kept` scores divided by T: `{ scores, weights, kept }`. The last one of a whole vocabulary is remembered. */
function heat(ranked, { scores, weights, kept }, T) {
  if (T === 1) return { scores, weights, kept };
  if (T === 0) return { scores, weights, kept: 1 }; // the first of the best
  if (ranked.heated?.T === T && kept === ranked.allowed) return ranked.heated;
  const old = kept === ranked.allowed ? ranked.heated : null; // nobody else holds its arrays: they are filled again
  const hot = { T, scores: old?.scores ?? new Float64Array(kept), weights: old?.weights ?? new Float64Array(kept), kept };
  for (let i = 0; i < kept; i++) {
    hot.scores[i] = T === Infinity ? 0 : scores[i] / T;
    hot.weights[i] = Math.exp(hot.scores[i]);
  }
  while (hot.kept > 1 && hot.scores[hot.kept - 1] === -Infinity) hot.kept--;
  if (kept === ranked.allowed) ranked.heated = hot;
  return hot;
}

/** How many options each step leaves. */
const CUTS = {
  top_k: ({ scores, kept }, k) => (k >= kept ? kept : throughTies(scores, kept, k)),
  top_p({ scores, weights, kept }, p) {
    if (p === 1) return kept;
    let total = 0;
    for (let i = 0; i < kept; i++) total += weights[i];
    let mass = 0;
    for (let i = 0; i < kept; i++) {
      mass += weights[i];
      if (mass - weights[i] >= p * total) return throughTies(scores, kept, i);
    }
    return kept;
  },
  min_p({ scores, kept }, p) {
    const floor = Math.log(p);
    while (kept > 1 && scores[kept - 1] < floor) kept--;
    return kept;
  },
};

/** The probabilities of the `count` best. */
function head({ weights, kept }, count) {
  let total = 0;
  for (let i = 0; i < kept; i++) total += weights[i];
  return weights.slice(0, Math.min(count, kept)).map((weight) => weight / total);
}

/** At least `n`, and every option that ties with the n-th. */
function throughTies(scores, kept, n) {
  while (n < kept && scores[n] === scores[n - 1]) n++;
  return n;
}

/**
 * What a chain makes of the scores. `steps` is a list of `{ name, value }`.
 * Gives `p` (by rank), `kept`, `entropy` in nats, and `trail`: for each step the options before and after it, and
 * `head`, the probabilities of the `heads` best as they reach it.
 */
export function applyChain(ranked, steps, heads = 0) {
  let now = { scores: ranked.gaps, weights: ranked.weights, kept: ranked.allowed };
  const trail = steps.map(({ name, value }) => {
    const before = now;
    now = name === "temperature" ? heat(ranked, now, value) : { ...now, kept: CUTS[name](now, value) };
    return { name, head: heads ? head(before, heads) : null, before: before.kept, after: now.kept };
  });
  return { ...distribution(now), trail };
}

/** What T alone makes of the scores: the entropy (nats), and the probability of the best. */
export function heatAlone(ranked, T) {
  const { total, entropy } = sums(heat(ranked, { scores: ranked.gaps, weights: ranked.weights, kept: ranked.allowed }, T));
  return { entropy, best: 1 / total };
}

/** The steps with another temperature. */
export const atTemperature = (steps, T) =>
  steps.map((step) => (step.name === "temperature" ? { ...step, value: T } : step));

/**
 * Which option a uniform number below 1 hits: the first, in the order of token ids, whose running total passes u.
 * `weight` are the probabilities in that order.
 */
export function drawAt(ranked, result, u) {
  const weight = (ranked.byId ??= new Float64Array(ranked.ids.length)).fill(0); // good until the next draw
  for (let i = 0; i < result.kept; i++) weight[ranked.ids[i]] = result.p[i];
  let total = 0;
  for (const w of weight) total += w;
  let mass = 0;
  let id = -1;
  do mass += weight[++id];
  while (weight[id] === 0 || mass <= u * total);
  return { id, from: (mass - weight[id]) / total, to: mass / total, p: weight[id], weight };
}

/** 0 to infinity laid on 0 to 1, so that one axis holds every temperature; 1 is in the middle. */
export const toAxis = (T) => (T === Infinity ? 1 : T / (1 + T));
export const fromAxis = (x) => (x >= 1 ? Infinity : x / (1 - x));

/** Entropy (nats) of a chain against T along that axis; `[{ name: "temperature" }]` is that of the scores alone. */
export const entropyCurve = (ranked, steps, points = 81) =>
  Array.from({ length: points }, (_, i) => {
    const T = fromAxis(i / (points - 1));
    return { T, entropy: applyChain(ranked, atTemperature(steps, T)).entropy };
  });

/** The entropy at T as the drawn curve has it. */
export function onCurve(curve, T) {
  const place = toAxis(T) * (curve.length - 1);
  const [from, to] = [Math.floor(place), Math.ceil(place)];
  return curve[from].entropy + (place - from) * (curve[to].entropy - curve[from].entropy);
}

/**
 * The place on the axis where a rising function reaches `target`; the ends where it never does. Nothing is shown to more
 * than three digits, and a large vocabulary takes milliseconds for every look: hence the 26 halvings.
 */
export function solveAxis(rising, target) {
  let [low, high] = [0, 1];
  for (let i = 0; i < 26; i++) {
    const middle = (low + high) / 2;
    if (rising(fromAxis(middle)) < target) low = middle;
    else high = middle;
  }
  return fromAxis(high);
}
