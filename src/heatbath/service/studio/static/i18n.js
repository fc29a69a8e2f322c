// Words and numbers in the reader's language.

import en from "./i18n/en.js";
import zh from "./i18n/zh.js";

const WORDS = { en, zh };
const TAGS = { en: "en", zh: "zh-CN" };
let current = "en";

export const language = () => current;

/** The language a reader most likely wants: the link's, the one chosen before, the browser's. */
export function guessLanguage(fromLink) {
  const browser = navigator.languages.some((tag) => tag.toLowerCase().startsWith("zh")) ? "zh" : "en";
  return fromLink ?? remembered("language") ?? browser;
}

/** Speak `code` from now on, and translate what is marked in the page. */
export function speak(code) {
  current = code;
  document.documentElement.lang = TAGS[code];
  document.title = t("title");
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", t(element.dataset.tLabel));
  }
}

/** The words for a key, with `{name}` replaced from `values`. */
export function t(key, values = {}) {
  return WORDS[current][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

const makers = new Map(); // making a number format costs more than a hundred uses of it

function format(value, options = {}) {
  const key = `${current} ${JSON.stringify(options)}`;
  if (!makers.has(key)) makers.set(key, new Intl.NumberFormat(TAGS[current], { signDisplay: "negative", ...options }));
  return makers.get(key).format(value);
}

/** A number with at most `digits` decimals, and at least `least`: numbers in a column show the same. */
export const decimal = (value, digits = 2, least = 0) =>
  value === Infinity ? "∞" : format(value, { maximumFractionDigits: digits, minimumFractionDigits: least });

/** A temperature with at most `digits` decimals; what is not 0 never reads as 0, and what is huge stays short. */
export function degree(T, digits = 3) {
  if (T === 0 || T === Infinity || (T >= 10 ** -digits && T < 1e6)) return decimal(T, digits);
  const rounded = Number(T.toPrecision(3));
  return rounded >= 1e-5 && rounded < 1e6 ? String(rounded) : rounded.toExponential();
}

/** Languages by their names in the reader's own. */
export function named(codes) {
  const names = new Intl.DisplayNames(TAGS[current], { type: "language" });
  return new Intl.ListFormat(TAGS[current]).format(codes.map((code) => names.of(code)));
}

/** A count. */
export const whole = (value) => format(value);

/** A number of live choices: 1.04, 3.4, 128. */
export const choices = (value) => decimal(value, value < 9.95 ? (value < 1.095 ? 2 : 1) : 0);

/** "1 live choice", "3.4 live choices". */
export function liveChoices(value) {
  const n = choices(value);
  return t(n === "1" ? "choices.one" : "choices.many", { n });
}

/** A probability, never rounded to a 0 % or 100 % that it is not. */
export const percent = (p) => share(p, 0);

/** A probability in a column: where one row says 3.7 %, another says 4.0 %. */
export const evenPercent = (p) => share(p, 1);

function share(p, least) {
  const show = (value, options) => format(value, { style: "percent", ...options });
  if (p <= 0) return show(0, {});
  if (p >= 1 - 1e-12) return show(1, {});
  if (p > 0.999) return `> ${show(0.999, { minimumFractionDigits: 1 })}`;
  if (p < 1e-5) return `< ${show(1e-5, { maximumFractionDigits: 3 })}`;
  if (p < 0.01) return show(p, { maximumSignificantDigits: 2, minimumSignificantDigits: 1 + least });
  return show(p, { maximumFractionDigits: 1, minimumFractionDigits: least });
}

export const bitsOf = (nats) => nats / Math.LN2;
/** Nats as a text in bits. */
export const bits = (nats) => decimal(bitsOf(nats), 2);

/** A preference kept in this browser; null where the browser keeps none. */
export function remembered(name) {
  try {
    return localStorage.getItem(`heatbath.${name}`);
  } catch {
    return null; // storage is switched off: the page then simply forgets
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(`heatbath.${name}`, value);
  } catch {
    // storage is switched off
  }
}
