// The arithmetic of one choice, in float64, from every score of the vocabulary. It follows heatbath.sampling rule by
// rule (tests compare the two), so that what the page shows is what would be drawn from.
//
// Every step keeps the order of the scores, and options with equal scores share one fate. So a chain always keeps the
// first `kept` options of the sorted list, and one sort per prompt serves every setting.

/**
 * Sort the scores once: `ids[i]` is the token of rank i, `ranks` the way back, `gaps[i]` its score minus the best
 * (-Infinity: forbidden).
 */
export function rankScores(logits) {
  const ids = Uint32Array.from(logits, (_, index) => index);
  ids.sort((a, b) => logits[b] - logits[a] || a - b); // -Infinity - -Infinity is NaN, which falls to the index as well
  const ranks = new Uint32Array(ids.length);
  for (let i = 0; i < ids.length; i++) ranks[ids[i]] = i;
  const gaps = Float64Array.from(ids, (id) => logits[id] - logits[ids[0]]);
  let allowed = gaps.length;
  while (allowed > 1 && gaps[allowed - 1] === -Infinity) allowed--;
  const weights = gaps.map(Math.exp); // of the scores as they are; an exponential is what a large vocabulary waits for
  const whole = { scores: gaps, weights, kept: allowed };
  const own = distribution(whole);
  const mass = new Float64Array(gaps.length + 1); // mass[n]: probability of the n best under the model itself
  for (let i = 0; i < gaps.length; i++) mass[i + 1] = mass[i] + (i < allowed ? own.p[i] : 0);
  return { ids, ranks, gaps, allowed, whole, own, mass, heated: null, running: null };
}

// What a chain has made so far is `{ scores, weights, kept }`: the first `kept` scores, of which the best is 0, and their
// exponentials. What is added up over them is remembered there, because several steps and pictures ask for it.

/** The sum of the weights. */
function totalOf(now) {
  if (now.total === undefined) {
    now.total = 0;
    for (let i = 0; i < now.kept; i++) now.total += now.weights[i];
  }
  return now.total;
}

/** The entropy, in nats. */
function entropyOf(now) {
  if (now.entropy === undefined) {
    const { scores, weights, kept } = now;
    let weighted = 0;
    for (let i = 0; i < kept && weights[i] > 0; i++) weighted += weights[i] * scores[i];
    const total = totalOf(now);
    now.entropy = Math.max(0, Math.log(total) - weighted / total);
  }
  return now.entropy;
}

/** The probabilities of the `count` best, written into `room` where there is any. */
function head(now, count, room = null) {
  const total = totalOf(now);
  const n = Math.min(count, now.kept);
  const p = room ? room.subarray(0, n) : new Float64Array(n);
  for (let i = 0; i < p.length; i++) p[i] = now.weights[i] / total;
  return p;
}

/** All probabilities, and the entropy. */
const distribution = (now, room) => ({ p: head(now, now.kept, room), kept: now.kept, entropy: entropyOf(now) });

/** The scores divided by T. The last one of a whole vocabulary is remembered. */
function heat(ranked, now, T) {
  const { scores, weights, kept } = now;
  if (T === 1) return now;
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

/** The first `kept` of them. */
const cut = (now, kept) => (kept === now.kept ? now : { scores: now.scores, weights: now.weights, kept });

const SLACK = 1e-12; // a mass or a ratio counts as reached from this little below it on: an exact hit hangs on no rounding

/** How many options each step leaves. */
const CUTS = {
  top_k: ({ scores, kept }, k) => (k >= kept ? kept : throughTies(scores, kept, k)),
  top_p(now, p) {
    const { scores, weights, kept } = now;
    if (p === 1) return kept;
    const limit = p * totalOf(now) * (1 - SLACK);
    let mass = 0;
    for (let i = 0; i < kept; i++) {
      mass += weights[i];
      if (mass >= limit) return throughTies(scores, kept, i + 1);
    }
    return kept;
  },
  min_p({ scores, kept }, p) {
    const floor = Math.log(p) - SLACK;
    while (kept > 1 && scores[kept - 1] < floor) kept--;
    return kept;
  },
};

/** At least `n`, and every option that ties with the n-th. */
function throughTies(scores, kept, n) {
  while (n < kept && scores[n] === scores[n - 1]) n++;
  return n;
}

/** What the steps make of the scores; `each(step, before, after)` sees every one of them act. */
function run(ranked, steps, each = () => {}) {
  let now = ranked.whole;
  for (const step of steps) {
    const before = now;
    const { name, value } = step;
    now = name === "temperature" ? heat(ranked, before, value) : cut(before, CUTS[name](before, value));
    each(step, before, now);
  }
  return now;
}

/**
 * What a chain makes of the scores. `steps` is a list of `{ name, value }`.
 * Gives `p` (by rank), `kept`, `entropy` in nats, and `trail`: for each step the options before and after it, and
 * `head`, the probabilities of the `heads` best as they reach it. Where there is `room`, an array as long as the
 * vocabulary, `p` lies there until the next call.
 */
export function applyChain(ranked, steps, { heads = 0, room = null } = {}) {
  const trail = [];
  const now = run(ranked, steps, ({ name }, before, after) =>
    trail.push({ name, head: heads ? head(before, heads) : null, before: before.kept, after: after.kept }),
  );
  return { ...distribution(now, room), trail };
}

/** What T alone makes of the scores: the entropy (nats), and the probability of the best. */
export function heatAlone(ranked, T) {
  const hot = heat(ranked, ranked.whole, T);
  return { entropy: entropyOf(hot), best: 1 / totalOf(hot) };
}

/** The steps with another temperature. */
export const atTemperature = (steps, T) =>
  steps.map((step) => (step.name === "temperature" ? { ...step, value: T } : step));

/**
 * Which option a uniform number below 1 hits: the first, in the order of token ids, whose running total passes u.
 * `running` are those totals, good until the next draw, of which the last is `total`.
 */
export function drawAt(ranked, result, u) {
  const { ids, ranks } = ranked;
  const running = (ranked.running ??= new Float64Array(ids.length));
  let total = 0;
  for (let id = 0; id < ids.length; id++) {
    if (ranks[id] < result.kept) total += result.p[ranks[id]];
    running[id] = total;
  }
  let [id, last] = [0, ids.length - 1];
  while (id < last) {
    const middle = (id + last) >> 1;
    if (running[middle] > u * total) last = middle;
    else id = middle + 1;
  }
  const p = result.p[ranks[id]];
  return { id, from: (running[id] - p) / total, to: running[id] / total, p, running, total };
}

/** 0 to infinity laid on 0 to 1, so that one axis holds every temperature; 1 is in the middle. */
export const toAxis = (T) => (T === Infinity ? 1 : T / (1 + T));
export const fromAxis = (x) => (x >= 1 ? Infinity : x / (1 - x));

/** Entropy (nats) of a chain against T along that axis; `[{ name: "temperature" }]` is that of the scores alone. */
export const entropyCurve = (ranked, steps, points = 81) =>
  Array.from({ length: points }, (_, i) => {
    const T = fromAxis(i / (points - 1));
    return { T, entropy: entropyOf(run(ranked, atTemperature(steps, T))) };
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
