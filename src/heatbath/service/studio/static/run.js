// A run of tokens as prose, coloured by surprisal. One stop for the Tab key; arrows move between tokens, and each tells
// its numbers to the pointer, the finger and the keyboard.

import { fill, h } from "./dom.js";
import { bits, t } from "./i18n.js";
import { stepOf } from "./surprise.js";
import { prose, spoken, visible } from "./tokens.js";

/**
 * A run in `element`. `state` is what the inspector knows it by: its `tokens`, where it `parts` from another run, and
 * what can be done at a token. `measure()` names the surprisal that colours it.
 */
export function makeRun(element, inspector, state, measure) {
  let spans = [];
  let current = 0;

  element.addEventListener("keydown", (event) => {
    const last = spans.length - 1;
    const [next, before] = [current + 1, current - 1];
    const keys = { ArrowRight: next, ArrowDown: next, ArrowLeft: before, ArrowUp: before, Home: 0, End: last };
    const target = keys[event.key];
    if (target !== undefined) {
      event.preventDefault();
      focus(Math.min(last, Math.max(0, target)));
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      inspector.open(state, current, spans[current], { enter: true });
    }
  });
  element.addEventListener("focusin", (event) => {
    const index = spans.indexOf(event.target);
    if (index >= 0) {
      roam(index);
      inspector.open(state, index, spans[index]);
    }
  });
  element.addEventListener("focusout", (event) => inspector.left(event.relatedTarget));
  element.addEventListener("pointerover", (event) => {
    const index = spans.indexOf(event.target);
    if (event.pointerType === "mouse" && index >= 0) inspector.hover(state, index, event.target);
  });
  element.addEventListener("pointerout", () => inspector.leave());

  function roam(index) {
    if (spans[current]) spans[current].tabIndex = -1;
    current = index;
    if (spans[current]) spans[current].tabIndex = 0;
  }

  function focus(index) {
    roam(index);
    spans[index]?.focus();
  }

  /** Show these tokens in place of the old ones. */
  function restart(tokens) {
    state.tokens = tokens;
    spans = [];
    fill(element);
    tokens.forEach((_, index) => add(index));
    roam(0);
  }

  function add(index) {
    const tabIndex = index === 0 ? 0 : -1;
    const span = h("span", { class: "token", tabIndex, role: "button", "aria-haspopup": "dialog" });
    spans.push(span);
    // The space before a word stands outside of its token, or colours would have tails at the ends of lines.
    element.append(document.createTextNode(""), span);
    // A character that several tokens share may be complete now: those since the last whole one are written again.
    let from = index;
    while (from > 0 && state.tokens[from - 1].text === null) from--;
    const shown = prose(state.tokens.slice(from, index + 1));
    shown.forEach((piece, i) => write(spans[from + i], piece));
    paint(index);
  }

  function write(span, piece) {
    const word = piece.trimStart();
    span.previousSibling.textContent = word ? piece.slice(0, piece.length - word.length) : "";
    span.textContent = word || visible(piece);
  }

  /** Colour and name a token; one that is not on show is left alone. */
  function paint(index) {
    if (!spans[index]) return;
    const token = state.tokens[index];
    const surprisal = token[measure()];
    const parts = state.parts === index;
    const again = state.again?.has(index);
    const classes = ["token", `s${stepOf(surprisal)}`];
    if (token.picked) classes.push("picked");
    if (token.text === null) classes.push("partial");
    if (token.end) classes.push("special");
    if (parts) classes.push("parts");
    if (again) classes.push("again");
    spans[index].className = classes.join(" ");
    const words = t("token.label", {
      token: spoken(token),
      bits: bits(surprisal),
      parts: (parts ? t("token.parts") : "") + (again ? t("token.again") : ""),
    });
    spans[index].setAttribute("aria-label", words);
  }

  return { restart, add, paint, repaint: () => spans.forEach((_, index) => paint(index)), focus };
}
