// One continuation: its tokens, what they add up to, and where they part from the chosen ones.

import { laneMark } from "./curve.js";
import { fill, h, svg } from "./dom.js";
import { bits, bitsOf, degree, percent, t, whole } from "./i18n.js";
import { makeRun } from "./run.js";
import { mean, repeated, writtenBefore } from "./surprise.js";
import { loops } from "./warnings.js";

const LONGEST = 400; // tokens kept in the page
const HIGHEST = 16; // bits at the top of the small curve

/** A lane. `take(state, index, other)` goes on from another token; `look(state, index)` shows a place in the charts. */
export function makeLane(app, name, { take, look }) {
  const title = h("h3", { id: `lane-${name}` });
  const temperature = h("p", { class: "lane-temperature" });
  const parts = h("p", { class: "lane-parts" });
  const text = h("div", { class: "prose", role: "log", "aria-live": "off", "aria-labelledby": `lane-${name}` });
  const spark = svg("svg", { class: "spark", role: "img", viewBox: "0 0 200 28", preserveAspectRatio: "none" });
  const facts = h("p", { class: "fine lane-facts" });
  const symbol = svg("svg", { class: "symbol", viewBox: "0 0 18 18", "aria-hidden": "true" }, laneMark(name, 9, 9, 6));
  const heading = h("header", {}, symbol, title, temperature);
  const most = h("small");
  const graph = h("div", { class: "spark-frame" }, spark, h("p", { class: "spark-scale", "aria-hidden": "true" }, most, h("small", {}, "0")));
  const element = h("article", { class: `lane ${name}`, "data-lane": name }, heading, parts, text, graph, facts);
  const state = {
    name,
    tokens: [],
    begins: 0, // where the draws of this run begin, 0 or behind a token that was picked
    parts: null,
    again: new Set(), // the tokens of runs that this text had written before
    ended: null,
    take: (index, other) => take(state, index, other),
    look: (index) => look(state, index),
  };
  const run = makeRun(text, app.inspector, state, () => app.get().measure);

  /** Begin again behind these tokens, which stay on show. */
  function restart(kept = []) {
    state.begins = 0;
    state.ended = null;
    state.again = new Set();
    run.restart(kept);
  }

  function push(token) {
    state.tokens.push(token);
    if (state.tokens.length <= LONGEST) run.add(state.tokens.length - 1);
  }

  function repaint() {
    run.repaint();
    footer();
  }

  function setParting(index) {
    const old = state.parts;
    state.parts = index;
    for (const each of [old, index]) if (each !== null) run.paint(each);
  }

  function header(T) {
    title.textContent = t(`lane.${name}`);
    temperature.textContent = `T = ${degree(T)}`;
    element.setAttribute("aria-label", `${t(`lane.${name}`)}, T = ${degree(T)}`);
  }

  function markAgain() {
    const old = state.again;
    state.again = writtenBefore(state.tokens);
    for (const index of state.again.symmetricDifference(old)) run.paint(index);
  }

  function footer(partingWords = parts.textContent) {
    parts.textContent = partingWords;
    markAgain();
    const measure = app.get().measure;
    const surprisals = state.tokens.map((token) => bitsOf(token[measure]));
    const dx = 200 / Math.max(1, surprisals.length - 1);
    const height = (value) => 27 - (25 * Math.min(value, HIGHEST)) / HIGHEST;
    const points = surprisals.map((value, i) => `${(i * dx).toFixed(1)} ${height(value).toFixed(1)}`);
    most.textContent = `${HIGHEST} ${t("bits")}`;
    fill(spark, svg("path", { d: points.length ? `M${points.join("L")}` : "" }));
    const about = {
      n: whole(state.tokens.length),
      mean: bits(mean(state.tokens, measure)),
      repeats: percent(repeated(state.tokens)),
      end: state.ended ? t(`ended.${state.ended}`) : "",
    };
    const words = state.tokens.length ? t("lane.facts", about) : "";
    fill(facts, words, loops(state.tokens) ? [" ", h("strong", { class: "loops" }, t("lane.loops"))] : []);
    spark.setAttribute("aria-label", t("lane.spark", about));
  }

  return { element, state, restart, push, setParting, header, footer, repaint, focus: run.focus };
}
