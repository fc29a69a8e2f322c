// Three continuations side by side: cooler, chosen, hotter. One seed drives all three, so that only T tells them apart.

import { at, calm, fill, h, oncePerFrame } from "./dom.js";
import { listen, problem, wordsFor } from "./events.js";
import { t } from "./i18n.js";
import { makeLane } from "./lane.js";
import { atTemperature } from "./maths.js";
import { textOf } from "./settings.js";
import { EDGES, parting } from "./surprise.js";

const NAMES = ["cooler", "chosen", "hotter"];
const LENGTH = 80;

export function mountStreams(app) {
  const does = { take: continueFrom, look: lookAt };
  const lanes = Object.fromEntries(NAMES.map((name) => [name, makeLane(app, name, does)]));
  fill(at("streams"), NAMES.map((name) => lanes[name].element));
  const run = h("button", { type: "button", id: "run", onclick: press });
  const measures = ["before", "after"].map((measure) =>
    h("button", { type: "button", class: "chip", "data-measure": measure, onclick: () => app.set({ measure }) }),
  );
  const measureLabel = h("span", { id: "measure-label" });
  const chips = h("div", { class: "chips", role: "group", "aria-labelledby": "measure-label" }, measureLabel, measures);
  const legend = h("p", { class: "legend" });
  fill(at("streams-tools"), run, chips, legend);
  const markSoon = oncePerFrame(markPartings);
  const held = { cooler: [], chosen: [], hotter: [] }; // tokens that wait for the end of their sentence
  let running = null;
  let prompt = [];
  let shown = "";
  let madeWith = ""; // the chain of the continuations on show
  let temperatures = null; // theirs, by lane

  function prefix(lane, index) {
    return [...prompt, ...lane.tokens.slice(0, index).map(({ id }) => id)];
  }

  function lookAt(lane, index) {
    const position = Math.max(0, index - lane.begins); // which draw of the seed this was
    app.look(prefix(lane, index), { lane: lane.name, index, position });
  }

  function stop() {
    running?.abort();
  }

  function press() {
    app.say(() => "");
    if (running) stop();
    else start();
  }

  /** All three from the prompt. What they said before stays until the new texts come, unless it belongs to another prompt. */
  function start() {
    const view = app.view();
    const tokens = view.prompt.map(({ id }) => id);
    const clear = () => {
      prompt = tokens;
      madeWith = view.text;
      temperatures = { ...view.lanes };
      for (const name of NAMES) {
        lanes[name].restart();
        lanes[name].setParting(null);
        lanes[name].header(view.lanes[name]);
        lanes[name].footer("");
      }
      app.inspector.close();
    };
    if (String(prompt) !== String(tokens)) clear();
    return follow(
      NAMES.map((name) => ({ name, chain: textOf(atTemperature(view.steps, view.lanes[name])) })),
      tokens,
      LENGTH,
      () => t("status.running"),
      clear,
    );
  }

  /** One lane from another token at one place; what the others wrote stays. */
  function continueFrom(state, index, other) {
    const view = app.view();
    const lane = lanes[state.name];
    const surprisals = { before: -Math.log(other.p), after: -Math.log(other.q) };
    const picked = { ...state.tokens[index], ...other, ...surprisals, picked: true };
    const before = [...prefix(state, index), other.id];
    temperatures[state.name] = view.lanes[state.name];
    lane.header(view.lanes[state.name]);
    lane.restart([...state.tokens.slice(0, index), picked]);
    state.begins = index + 1;
    lane.focus(index);
    app.inspector.close();
    markPartings();
    return follow(
      [{ name: state.name, chain: textOf(atTemperature(view.steps, view.lanes[state.name])) }],
      before,
      Math.max(8, LENGTH - index - 1),
      () => t("status.continuing"),
    );
  }

  /** Write what the server draws; `begin()` makes room for it once it comes. */
  async function follow(wanted, tokens, length, words, begin = () => {}) {
    stop();
    const mine = new AbortController();
    running = mine;
    let begun = false;
    button();
    app.report(words, { going: true });
    try {
      const asked = { tokens, lanes: wanted, seed: app.get().seed, max_tokens: length };
      await listen("studio/generate", asked, mine.signal, (event) => {
        if (running !== mine) return;
        if (event.error) throw problem(event.error);
        if (!begun) {
          begun = true;
          for (const { name } of wanted) held[name] = [];
          begin();
        }
        receive(event);
      });
      if (running === mine) app.report(() => t("status.done"));
    } catch (error) {
      const stopped = error.name === "AbortError";
      if (running === mine) app.say(() => (stopped ? t("status.stopped") : wordsFor(error)), !stopped);
    }
    if (running !== mine) return;
    running = null;
    button();
    markPartings();
    app.streamed();
  }

  function receive(event) {
    const lane = lanes[event.lane];
    if (event.ended) lane.state.ended = event.ended;
    else held[event.lane].push(event);
    // Who asked for little movement sees whole sentences come, not words.
    if (calm() && !event.ended && !/[.!?。！？]/.test(event.text ?? "")) return;
    for (const token of held[event.lane].splice(0)) lane.push(token);
    markSoon();
  }

  function markPartings() {
    const tokensOf = (name) => lanes[name].state.tokens;
    const from = (name) => parting(tokensOf(name), tokensOf("chosen"));
    const found = { cooler: from("cooler"), hotter: from("hotter") };
    for (const name of ["cooler", "hotter"]) {
      lanes[name].setParting(found[name]);
      lanes[name].footer(words(found[name], lanes[name].state.tokens.length));
    }
    const first = [found.cooler, found.hotter].filter((index) => index !== null);
    lanes.chosen.setParting(first.length ? Math.min(...first) : null);
    lanes.chosen.footer(t("lane.seed", { seed: app.get().seed }));
  }

  function words(index, length) {
    if (length === 0) return "";
    return index === null ? t("lane.same") : t("lane.parts", { n: index + 1 });
  }

  function button() {
    run.textContent = t(running ? "streams.stop" : "streams.run");
    run.classList.toggle("primary", !running);
  }

  function paint(view) {
    button();
    measureLabel.textContent = t("streams.colour");
    for (const chip of measures) {
      chip.textContent = t(`measure.${chip.dataset.measure}`);
      chip.setAttribute("aria-pressed", String(chip.dataset.measure === view.settings.measure));
    }
    const state = `${document.documentElement.lang} ${view.settings.measure}`;
    if (state === shown) return;
    shown = state;
    const range = (from, i) => (i < EDGES.length ? `${from}–${EDGES[i]}` : `> ${from}`);
    const swatches = [0, ...EDGES].map((from, i) => h("span", { class: `token s${i}` }, range(from, i)));
    const again = h("span", { class: "token again" }, t("legend.again"));
    fill(legend, t("legend"), swatches, t("bits"), again);
    at("streams-help").textContent = t("streams.help");
    for (const name of NAMES) {
      lanes[name].header((temperatures ?? view.lanes)[name]);
      lanes[name].repaint();
    }
    markPartings();
  }

  return {
    paint,
    start,
    tokens: (name) => lanes[name].state.tokens,
    madeWith: () => madeWith,
    forget: () => (shown = ""),
  };
}
