// The knob's scale. A temperature means different things to different models; the mean number of live choices,
// exp(mean entropy), says how open a choice is on any of them. The model's profile (mean entropy against T over sample texts, measured once) turns
// one into the other. Where a model has no profile, the present next token stands in for it.

import { fromAxis, toAxis } from "./maths.js";

/** A scale from a profile: temperatures from 0 to infinity, and the mean entropy in nats at each. */
export const profileScale = (temperatures, entropies) =>
  scale(temperatures.map((T, i) => [toAxis(T), entropies[i]]), true);

/** A scale from the entropy curve of one next token. */
export const momentScale = (curve) => scale(curve.map(({ T, entropy }) => [toAxis(T), entropy]), false);

/** Piecewise linear between rising points `[place on the axis of T, entropy]`, and its inverse. */
function scale(points, fromProfile) {
  const lowest = points[0][1];
  const highest = points.at(-1)[1];
  const between = (list, from, to, value) => {
    const next = Math.max(1, list.findIndex((point) => point[from] >= value));
    const [a, b] = [list[next - 1], list[next]];
    const share = b[from] === a[from] ? 0 : (value - a[from]) / (b[from] - a[from]);
    return a[to] + share * (b[to] - a[to]);
  };
  return {
    fromProfile,
    lowest,
    highest,
    entropyAt: (T) => (T === Infinity ? highest : between(points, 0, 1, toAxis(T))),
    temperatureAt(entropy) {
      if (entropy >= highest) return Infinity;
      if (entropy <= lowest) return 0;
      return rounded(fromAxis(between(points, 1, 0, entropy)));
    },
  };
}

/** Three significant digits: a temperature that can be read and typed. */
const rounded = (T) => Number(T.toPrecision(3));

/** The temperatures of the three continuations: a quarter, once and four times the live choices of the chosen one. */
export function lanesAround(scale_, T, bits = 2) {
  const step = bits * Math.LN2;
  const chosen = scale_.entropyAt(T);
  return { cooler: scale_.temperatureAt(chosen - step), chosen: T, hotter: scale_.temperatureAt(chosen + step) };
}
