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
  const own = distribution(gaps, allowed);
  const mass = new Float64Array(gaps.length + 1); // mass[n]: probability of the n best under the model itself
  for (let i = 0; i < gaps.length; i++) mass[i + 1] = mass[i] + (i < allowed ? own.p[i] : 0);
  return { ids, gaps, allowed, own, mass };
}

/** Probabilities and entropy (nats) of the first `kept` scores. */
function distribution(scores, kept) {
  const p = new Float64Array(kept);
  let total = 0;
  let weighted = 0;
  for (let i = 0; i < kept; i++) {
    const gap = scores[i] - scores[0];
    const weight = Math.exp(gap);
    p[i] = weight;
    total += weight;
    if (weight > 0) weighted += weight * gap;
  }
  for (let i = 0; i < kept; i++) p[i] /= total;
  return { p, kept, entropy: Math.max(0, Math.log(total) - weighted / total) };
}

const STEPS = {
  temperature(scores, kept, T) {
    if (T === 0) return 1; // the first of the best
    if (T === 1) return kept;
    for (let i = 0; i < kept; i++) scores[i] = T === Infinity ? 0 : scores[i] / T;
    while (kept > 1 && scores[kept - 1] === -Infinity) kept--;
    return kept;
  },
  top_k: (scores, kept, k) => (k >= kept ? kept : throughTies(scores, kept, k)),
  top_p(scores, kept, p) {
    if (p === 1) return kept;
    let total = 0;
    for (let i = 0; i < kept; i++) total += Math.exp(scores[i] - scores[0]);
    let mass = 0;
    for (let i = 0; i < kept; i++) {
      const weight = Math.exp(scores[i] - scores[0]);
      mass += weight;
      if (mass - weight >= p * total) return throughTies(scores, kept, i);
    }
    return kept;
  },
  min_p(scores, kept, p) {
    const floor = scores[0] + Math.log(p);
    while (kept > 1 && scores[kept - 1] < floor) kept--;
    return kept;
  },
};

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
  const scores = ranked.gaps.slice();
  let kept = ranked.allowed;
  const trail = steps.map(({ name, value }) => {
    const head = heads ? distribution(scores, kept).p.subarray(0, heads) : null;
    return { name, head, before: kept, after: (kept = STEPS[name](scores, kept, value)) };
  });
  return { ...distribution(scores, kept), trail };
}

/** The steps with another temperature. */
export const atTemperature = (steps, T) =>
  steps.map((step) => (step.name === "temperature" ? { ...step, value: T } : step));

/**
 * Which option a uniform number below 1 hits: the first, in the order of token ids, whose running total passes u.
 * `weight` are the probabilities in that order.
 */
export function drawAt(ranked, result, u) {
  const weight = new Float64Array(ranked.ids.length);
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

/** The place on the axis where a rising function reaches `target`; the ends where it never does. */
export function solveAxis(rising, target) {
  let [low, high] = [0, 1];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (rising(fromAxis(middle)) < target) low = middle;
    else high = middle;
  }
  return fromAxis(high);
}
