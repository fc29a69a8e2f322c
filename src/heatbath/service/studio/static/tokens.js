// Showing tokens: white space that matters is made visible, and bytes that are no whole character are written in hex.

import { h } from "./dom.js";
import { t } from "./i18n.js";

const VISIBLE = { " ": "␣", "\n": "↵", "\t": "⇥", "\r": "↤" };

/** The words of a token for a sentence or a label: quoted, with white space named. */
export function spoken(token) {
  const text = plain(token);
  return t("quoted", { text: text.trim() || [...text].map((letter) => VISIBLE[letter] ?? letter).join("") });
}

/** White space alone, made visible; a line break still breaks the line. */
export const visible = (space) =>
  [...space].map((letter) => (letter === "\n" ? "↵\n" : (VISIBLE[letter] ?? letter))).join("");

/** The text of a token `{ text, bytes, end }`; hex where it is only part of a character. */
export function plain(token) {
  if (!token) return "…";
  if (token.end) return t("token.end");
  return token.text ?? token.bytes.replace(/../g, (pair) => `\\x${pair}`);
}

/** Nodes for a label: white space at the ends, and line breaks, as faint marks. */
export function label(token) {
  if (!token || token.end || token.text === null) return [h("i", { class: "special" }, plain(token))];
  const [, before, core, after] = /^(\s*)([\s\S]*?)(\s*)$/.exec(token.text);
  const marks = (text) => [...text].map((letter) => h("i", { class: "mark-space" }, VISIBLE[letter] ?? "␣"));
  const inside = core.split(/(\n)/).map((part) => (part === "\n" ? marks(part) : part));
  return [marks(before), inside, marks(after)];
}

/**
 * The texts of a run of tokens, laid out as prose. A character that several tokens share appears whole with the last of
 * them; until then each shows its bytes.
 */
export function prose(tokens) {
  const shown = [];
  let open = []; // indices of tokens whose bytes wait for the rest of their character
  for (const [index, token] of tokens.entries()) {
    shown[index] = token.text ?? plain(token);
    if (token.end || token.text !== null) {
      open = [];
      continue;
    }
    open.push(index);
    const whole = decode(open.map((i) => tokens[i].bytes).join(""));
    if (whole === null) continue;
    for (const i of open) shown[i] = "";
    shown[index] = whole;
    open = [];
  }
  return shown;
}

function decode(hex) {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
