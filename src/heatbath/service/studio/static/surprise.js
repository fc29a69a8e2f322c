// How surprising a token was, in five fixed steps of bits, and what a run of tokens adds up to.

import { bitsOf } from "./i18n.js";

export const EDGES = [1, 3, 6, 10]; // bits: half, 1 in 8, 1 in 64, 1 in 1024

/** The step, 0 to 4, of a surprisal in nats. */
export const stepOf = (nats) => EDGES.filter((edge) => bitsOf(nats) >= edge).length;

/** The mean surprisal of tokens, in nats; a token that was put in although it had been cut does not count. */
export function mean(tokens, measure) {
  const surprisals = tokens.map((token) => token[measure]).filter(Number.isFinite);
  return surprisals.reduce((sum, value) => sum + value, 0) / Math.max(1, surprisals.length);
}

/** Where the runs of `length` tokens begin that had occurred before. */
function repeats(tokens, length) {
  const seen = new Set();
  const found = [];
  for (let i = 0; i + length <= tokens.length; i++) {
    const run = tokens.slice(i, i + length).map(({ id }) => id).join(" ");
    if (seen.has(run)) found.push(i);
    seen.add(run);
  }
  return found;
}

/** The share of runs of `length` tokens that had occurred before, 0 to 1; 0 while there are fewer than ten runs. */
export function repeated(tokens, length = 4) {
  const runs = tokens.length - length + 1;
  return runs < 10 ? 0 : repeats(tokens, length).length / runs;
}

/** The indices of the tokens of those runs. */
export const writtenBefore = (tokens, length = 4) =>
  new Set(repeats(tokens, length).flatMap((begin) => Array.from({ length }, (_, i) => begin + i)));

/** The index of the first token in which two runs differ; null while they agree. */
export function parting(tokens, others) {
  const length = Math.min(tokens.length, others.length);
  for (let i = 0; i < length; i++) if (tokens[i].id !== others[i].id) return i;
  return null;
}
