// What the reader has set, in one object, and who wants to know when it changes.

import { OPTIONS } from "./options.js";

export const ORDERS = {
  first: ["temperature", "top_k", "top_p", "min_p"], // transformers; vLLM truncates behind T as well
  last: ["top_k", "top_p", "min_p", "temperature"], // llama.cpp
};

/** The letter of each step in the address. */
export const LETTERS = { temperature: "T", top_k: "k", top_p: "p", min_p: "m" };

/** Whether a step can have this value: the server's table of options decides. */
export function legal(name, value) {
  const { whole, low, high, aboveLow } = OPTIONS[name];
  if (Number.isNaN(value) || (whole && !Number.isSafeInteger(value))) return false;
  return (low === null || (aboveLow ? value > low : value >= low)) && (high === null || value <= high);
}

export const initial = () => ({
  prompt: null, // the first that the model suggests
  value: { temperature: 0.8, top_k: 40, top_p: 0.95, min_p: 0.05 },
  on: { temperature: true, top_k: false, top_p: true, min_p: false },
  order: ORDERS.first,
  seed: 7,
  measure: "before", // whose surprisal colours the tokens: the model's own, or the sampler's
});

/** The chain as data: the steps that are on, in their order. */
export const stepsOf = (settings) =>
  settings.order.filter((name) => settings.on[name]).map((name) => ({ name, value: settings.value[name] }));

/** The chain in heatbath's text form. */
export const textOf = (steps) =>
  [...steps.map(({ name, value }) => `${name}(${number(value)})`), "categorical()"].join(" -> ");

/** A number as Python writes it. */
export function number(value) {
  if (value === Infinity) return "inf";
  if (value === 0 || value >= 1e-4) return String(value);
  return value.toExponential().replace(/e-(\d)$/, "e-0$1");
}

/** As people type it: also full-width, as Chinese input methods write, and with a comma. */
const plainly = (text) => text.normalize("NFKC").trim().toLowerCase().replace(/[,。]/, ".").replace(/^\+/, "");

/** Whether digits stand for a number beyond the largest that a computer holds, as 1e400 does. */
export const isHuge = (text) => Number(plainly(text)) === Infinity;

/** Read a number as people type it; NaN for what is none. Infinity has to be written as such. */
export function readNumber(text) {
  const plain = plainly(text);
  if (["inf", "infinity", "∞"].includes(plain)) return Infinity;
  return /^-?[\d.]+(e[-+]?\d+)?$/.test(plain) && !isHuge(plain) ? Number(plain) : NaN; // and not 0x10
}

/** A store: `get()`, `set(patch, { settled })`, `listen(listener)`. `settled` is false while a control is dragged. */
export function store(first) {
  let current = first;
  const listeners = [];
  return {
    get: () => current,
    set(patch, { settled = true } = {}) {
      const before = current;
      current = { ...current, ...patch };
      for (const listener of listeners) listener(current, { before, settled });
    },
    listen: (listener) => listeners.push(listener),
  };
}

/** The patch that gives one step another value and switches it on. */
export const withStep = (settings, name, value, on = true) => ({
  value: { ...settings.value, [name]: value },
  on: { ...settings.on, [name]: on },
});
