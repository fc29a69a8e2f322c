// The settings in the address, so that a link passes them on. Version 1, an allow-list: anything else is ignored, and a
// value that means nothing leaves the usual one. The prompt goes in only when the reader asks for it.

import { LETTERS, legal, number, readNumber } from "./settings.js";

const NAMES = Object.keys(LETTERS);
const letters = (names) => names.map((name) => LETTERS[name]).join("");
const names = (text) => [...text].map((letter) => NAMES.find((name) => LETTERS[name] === letter));

/** The part of the address behind #. */
export function toHash(settings, { language, withPrompt = false }) {
  const fields = new URLSearchParams({ v: "1" });
  for (const name of NAMES) fields.set(LETTERS[name], number(settings.value[name]));
  fields.set("on", letters(NAMES.filter((name) => settings.on[name])));
  fields.set("order", letters(settings.order));
  fields.set("seed", String(settings.seed));
  fields.set("by", settings.measure);
  fields.set("lang", language);
  if (withPrompt && settings.prompt !== null) fields.set("prompt", settings.prompt);
  return `#${fields}`;
}

/** What a hash says, over `usual` settings: `{ settings, language }`; language is null where it names none. */
export function fromHash(hash, usual) {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const settings = structuredClone(usual);
  if (fields.get("v") !== "1") return { settings, language: null };
  for (const name of NAMES) {
    const value = readNumber(fields.get(LETTERS[name]) ?? "");
    if (legal(name, value)) settings.value[name] = value;
  }
  const order = names(fields.get("order") ?? "");
  if (order.length === NAMES.length && NAMES.every((name) => order.includes(name))) settings.order = order;
  const on = fields.has("on") ? names(fields.get("on")) : null;
  if (on && !on.includes(undefined)) for (const name of NAMES) settings.on[name] = on.includes(name);
  const seed = readNumber(fields.get("seed") ?? "");
  if (Number.isSafeInteger(seed) && seed >= 0) settings.seed = seed;
  if (["before", "after"].includes(fields.get("by"))) settings.measure = fields.get("by");
  if (fields.has("prompt")) settings.prompt = fields.get("prompt").slice(0, 4000);
  const language = ["en", "zh"].includes(fields.get("lang")) ? fields.get("lang") : null;
  return { settings, language };
}
