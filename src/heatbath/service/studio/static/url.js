// The settings in the address, so that a link passes them on. Version 1, an allow-list: a value that means nothing leaves
// the usual one, and the page says so. The prompt goes in only when the reader asks for it.

import { LETTERS, legal, number, readNumber } from "./settings.js";

const VERSION = "1";
const NAMES = Object.keys(LETTERS);
const LONGEST = 40; // letters of a value that are repeated
const letters = (names) => names.map((name) => LETTERS[name]).join("");
const names = (text) => [...text].map((letter) => NAMES.find((name) => LETTERS[name] === letter));

/** The part of the address behind #. */
export function toHash(settings, { language, withPrompt = false }) {
  const fields = new URLSearchParams({ v: VERSION });
  for (const name of NAMES) fields.set(LETTERS[name], number(settings.value[name]));
  fields.set("on", letters(NAMES.filter((name) => settings.on[name])));
  fields.set("order", letters(settings.order));
  fields.set("seed", String(settings.seed));
  fields.set("by", settings.measure);
  fields.set("lang", language);
  if (withPrompt && settings.prompt !== null) fields.set("prompt", settings.prompt);
  return `#${fields}`;
}

/** How each field is read: `read(text)` gives undefined for what means nothing; `write(settings)` is what stands instead. */
const FIELDS = {
  ...Object.fromEntries(NAMES.map((name) => [LETTERS[name], ofStep(name)])),
  on: {
    read: (text) => (names(text).includes(undefined) ? undefined : names(text)),
    put: (settings, on) => NAMES.forEach((name) => (settings.on[name] = on.includes(name))),
    write: ({ on }) => letters(NAMES.filter((name) => on[name])),
  },
  order: {
    read(text) {
      const order = names(text);
      return order.length === NAMES.length && NAMES.every((name) => order.includes(name)) ? order : undefined;
    },
    put: (settings, order) => (settings.order = order),
    write: ({ order }) => letters(order),
  },
  seed: {
    read(text) {
      const seed = readNumber(text);
      return Number.isSafeInteger(seed) && seed >= 0 ? seed : undefined;
    },
    put: (settings, seed) => (settings.seed = seed),
    write: ({ seed }) => String(seed),
  },
  by: {
    read: (text) => (["before", "after"].includes(text) ? text : undefined),
    put: (settings, measure) => (settings.measure = measure),
    write: ({ measure }) => measure,
  },
  prompt: {
    read: (text) => (text.includes("\ufffd") ? undefined : text), // what is left of bytes that are no letters
    put: (settings, prompt) => (settings.prompt = prompt),
  },
};

function ofStep(name) {
  return {
    read(text) {
      const value = readNumber(text);
      return legal(name, value) ? value : undefined;
    },
    put: (settings, value) => (settings.value[name] = value),
    write: ({ value }) => number(value[name]),
  };
}

/**
 * What a hash says, over `usual` settings: `{ settings, language, refused }`; null where it is no link of settings but
 * the name of a place in the page. `language` is null where it names none. `refused` tells what could not be read:
 * `[{ name, values }]`, to be put in words.
 */
export function fromHash(hash, usual) {
  const plain = hash.replace(/^#/, "");
  if (plain && !plain.includes("=")) return null;
  const fields = new URLSearchParams(plain);
  const settings = structuredClone(usual);
  if (plain && fields.get("v") !== VERSION) {
    const version = fields.has("v") ? [["version", { text: short(fields.get("v")) }]] : [["unversioned", {}]];
    return { settings, language: null, refused: version.map(tell) };
  }
  const refused = [];
  let language = null;
  for (const [name, text] of fields) {
    if (name === "v") continue;
    if (name === "lang") {
      if (["en", "zh"].includes(text)) language = text;
      else refused.push(["language", { text: short(text) }]);
      continue;
    }
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : null;
    const value = field?.read(text);
    if (!field) refused.push(["unknown", { name: short(name) }]);
    else if (value === undefined) refused.push([name, { text: short(text), shown: field.write?.(settings) }]);
    else field.put(settings, value);
  }
  return { settings, language, refused: refused.map(tell) };
}

const tell = ([name, values]) => ({ name, values });
const short = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
