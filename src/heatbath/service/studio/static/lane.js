// One continuation: its tokens as prose, coloured by surprisal. One stop for the Tab key; arrows move between tokens.

import { fill, h, svg } from "./dom.js";
import { mark } from "./curve.js";
import { bits, bitsOf, degree, percent, t, whole } from "./i18n.js";
import { mean, repeated, stepOf } from "./surprise.js";
import { prose, spoken, visible } from "./tokens.js";

const LONGEST = 400; // tokens kept in the page
const HIGHEST = 16; // bits at the top of the small curve

export function makeLane(app, name, inspect) {
  const title = h("h3", { id: `lane-${name}` });
  const temperature = h("p", { class: "lane-temperature" });
  const parts = h("p", { class: "lane-parts" });
  const text = h("div", { class: "prose", role: "log", "aria-live": "off", "aria-labelledby": `lane-${name}` });
  const spark = svg("svg", { class: "spark", role: "img", viewBox: "0 0 200 28", preserveAspectRatio: "none" });
  const facts = h("p", { class: "fine lane-facts" });
  const symbol = svg("svg", { class: "symbol", viewBox: "0 0 18 18", "aria-hidden": "true" }, mark(name, 9, 9, 6));
  const heading = h("header", {}, symbol, title, temperature);
  const element = h("article", { class: `lane ${name}`, "data-lane": name }, heading, parts, text, spark, facts);
  // `begins`: where the draws of this run begin, 0 or behind a token that was picked
  const state = { name, tokens: [], begins: 0, parts: null, ended: null };
  let spans = [];
  let current = 0;

  text.addEventListener("keydown", (event) => {
    const last = spans.length - 1;
    const [next, before] = [current + 1, current - 1];
    const keys = { ArrowRight: next, ArrowDown: next, ArrowLeft: before, ArrowUp: before, Home: 0, End: last };
    const target = keys[event.key];
    if (target !== undefined) {
      event.preventDefault();
      focus(Math.min(last, Math.max(0, target)));
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      inspect.open(state, current, spans[current], { enter: true });
    }
  });
  text.addEventListener("focusin", (event) => {
    const index = spans.indexOf(event.target);
    if (index >= 0) {
      roam(index);
      inspect.open(state, index, spans[index]);
    }
  });
  text.addEventListener("focusout", (event) => inspect.left(event.relatedTarget));
  text.addEventListener("pointerover", (event) => {
    const index = spans.indexOf(event.target);
    if (event.pointerType === "mouse" && index >= 0) inspect.hover(state, index, event.target);
  });
  text.addEventListener("pointerout", () => inspect.leave());

  function roam(index) {
    if (spans[current]) spans[current].tabIndex = -1;
    current = index;
    if (spans[current]) spans[current].tabIndex = 0;
  }

  function focus(index) {
    roam(index);
    spans[index]?.focus();
  }

  /** Begin again behind these tokens, which stay on show. */
  function restart(kept = []) {
    state.tokens = kept;
    state.begins = 0;
    state.ended = null;
    spans = [];
    fill(text);
    kept.forEach((_, index) => add(index));
    roam(0);
  }

  function push(token) {
    state.tokens.push(token);
    if (state.tokens.length <= LONGEST) add(state.tokens.length - 1);
  }

  function add(index) {
    const tabIndex = index === 0 ? 0 : -1;
    const span = h("span", { class: "token", tabIndex, role: "button", "aria-haspopup": "dialog" });
    spans.push(span);
    // The space before a word stands outside of its token, or colours would have tails at the ends of lines.
    text.append(document.createTextNode(""), span);
    // A character that several tokens share may be complete now: those since the last whole one are written again.
    let from = index;
    while (from > 0 && state.tokens[from - 1].text === null) from--;
    const shown = prose(state.tokens.slice(from, index + 1));
    shown.forEach((piece, i) => write(spans[from + i], piece));
    paintToken(index);
  }

  function write(span, piece) {
    const word = piece.trimStart();
    span.previousSibling.textContent = word ? piece.slice(0, piece.length - word.length) : "";
    span.textContent = word || visible(piece);
  }

  function paintToken(index) {
    const token = state.tokens[index];
    const measure = app.get().measure;
    const classes = ["token", `s${stepOf(token[measure])}`];
    if (token.picked) classes.push("picked");
    if (token.text === null) classes.push("partial");
    if (token.end) classes.push("special");
    if (state.parts === index) classes.push("parts");
    spans[index].className = classes.join(" ");
    const here = state.parts === index ? t("token.parts") : "";
    const words = t("token.label", { token: spoken(token), bits: bits(token[measure]), parts: here });
    spans[index].setAttribute("aria-label", words);
  }

  function repaint() {
    spans.forEach((_, index) => paintToken(index));
    footer();
  }

  function setParting(index) {
    const old = state.parts;
    state.parts = index;
    for (const each of [old, index]) if (each !== null && spans[each]) paintToken(each);
  }

  function header(T) {
    title.textContent = t(`lane.${name}`);
    temperature.textContent = `T = ${degree(T)}`;
    element.setAttribute("aria-label", `${t(`lane.${name}`)}, T = ${degree(T)}`);
  }

  function footer(partingWords = parts.textContent) {
    parts.textContent = partingWords;
    const measure = app.get().measure;
    const surprisals = state.tokens.map((token) => bitsOf(token[measure]));
    const dx = 200 / Math.max(1, surprisals.length - 1);
    const height = (value) => 27 - (25 * Math.min(value, HIGHEST)) / HIGHEST;
    const points = surprisals.map((value, i) => `${(i * dx).toFixed(1)} ${height(value).toFixed(1)}`);
    fill(spark, svg("path", { d: points.length ? `M${points.join("L")}` : "" }));
    const about = {
      n: whole(state.tokens.length),
      mean: bits(mean(state.tokens, measure)),
      repeats: percent(repeated(state.tokens)),
      end: state.ended ? t(`ended.${state.ended}`) : "",
    };
    facts.textContent = state.tokens.length ? t("lane.facts", about) : "";
    spark.setAttribute("aria-label", t("lane.spark", about));
  }

  return { element, state, restart, push, setParting, header, footer, repaint, focus };
}
