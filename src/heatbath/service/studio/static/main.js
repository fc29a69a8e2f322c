// The page put together: settings in, one view of them out, and every part paints that view.

import { mountBars } from "./bars.js";
import { BARS, mountChain } from "./chain.js";
import { mountCode } from "./codeview.js";
import { mountCurve } from "./curve.js";
import { at, calm, fill, h, oncePerFrame, write } from "./dom.js";
import { mountDraw } from "./draw.js";
import { lanesAround, momentScale, profileScale } from "./effect.js";
import { ask, passes, readScores, wordsFor } from "./events.js";
import { mountHeader } from "./header.js";
import { guessLanguage, language, speak, t, whole } from "./i18n.js";
import { makeInspector } from "./inspector.js";
import { heatUp, mountKnob } from "./knob.js";
import { applyChain, atTemperature, entropyCurve, heatAlone, rankScores } from "./maths.js";
import { mountNotice } from "./notice.js";
import { mountNumbers } from "./numbers.js";
import { whenSeen } from "./offscreen.js";
import { mountPrompt } from "./prompt.js";
import { initial, stepsOf, store, textOf } from "./settings.js";
import { mountStreams } from "./streams.js";
import { fromHash, toHash } from "./url.js";
import { mountWarnings, zonesOf } from "./warnings.js";
import { sentence } from "./words.js";

const AGAIN_AFTER = 2000; // milliseconds until a server that did not answer at first is asked again
const READ_WITHIN = 4000; // milliseconds that news stays on the screen

const link = fromHash(location.hash, initial()) ?? fromHash("", initial());
const settings = store(link.settings);
const named = new Map(); // token id -> { id, text, bytes, end }
let model = null;
let moment = null; // { ranked, room, prompt, tokens, look }: the scores on show
let profile = null;
let view = null;
let parts = [];
let dragging = false;
let asked = null;
let linkTimer = 0;
let sayTimer = 0;
let saying = () => "";

const app = {
  get: settings.get,
  set: settings.set,
  view: () => view,
  dragging: () => dragging,
  repaint: oncePerFrame(() => view && paint()),
  say,
  report,
  want,
  look,
  read,
  written: (lane) => (streams.madeWith() === view.text ? streams.tokens(lane) : []),
  streamed: () => app.repaint(),
  withPrompt: () => at("share-prompt").checked,
  inspector: makeInspector(),
  retranslate,
};

/**
 * Words for the one status line: `words()` gives them in the language of the moment. The line leaves once they could be
 * read, unless something went wrong or they tell of what is still `going` on.
 */
function say(words, failed = false, going = false) {
  const line = at("status");
  saying = words;
  line.textContent = words();
  line.classList.toggle("failed", failed);
  line.classList.toggle("said", words() === "");
  clearTimeout(sayTimer);
  if (!failed && !going) sayTimer = setTimeout(() => line.classList.add("said"), READ_WITHIN);
}

/** News of what begins or ends by itself: it does not push away an error that came meanwhile. */
function report(words, { going = false } = {}) {
  if (!at("status").classList.contains("failed")) say(words, false, going);
}

/** Everything the parts show, computed from the settings and the scores. */
function makeView(now) {
  const { ranked } = moment;
  const steps = stepsOf(now);
  const scale = profile ?? moment.scale;
  const T = now.on.temperature ? now.value.temperature : 1;
  return {
    settings: now,
    model,
    ...moment,
    ...shapes(steps),
    steps,
    text: textOf(steps),
    result: applyChain(ranked, steps, { heads: BARS, room: moment.room }),
    scale,
    lanes: now.on.temperature ? lanesAround(scale, T) : { cooler: 1, chosen: 1, hotter: 1 },
    freeEntropy: heatAlone(ranked, T).entropy,
    token: (id) => named.get(id),
  };
}

/**
 * The curve, the zones, and what the warnings found `once`: the same at every T, and in a large vocabulary too much work
 * for every frame of a drag. Only while another control is dragged do they wait for its end.
 */
function shapes(steps) {
  const shape = `${moment.key} ${textOf(atTemperature(steps, 1))}`;
  const later = dragging && view?.key === moment.key;
  if (view && (shape === view.shape || later)) {
    return { shape: view.shape, curve: view.curve, zones: view.zones, once: shape === view.shape ? view.once : remember() };
  }
  const curve = { free: moment.free, kept: entropyCurve(moment.ranked, steps) };
  return { shape, curve, zones: zonesOf(moment.ranked, steps, profile ?? moment.scale), once: remember() };
}

/** `once(name, find)` finds it the first time, and gives what was found from then on. */
function remember() {
  const found = new Map();
  return (name, find) => {
    if (!found.has(name)) found.set(name, find());
    return found.get(name);
  };
}

function paint() {
  const old = view;
  view = makeView(settings.get());
  document.body.classList.remove("empty");
  if (old?.zones !== view.zones || old?.scale !== view.scale) knob.paintTicks(view);
  for (const part of parts) part.paint(view);
  heatUp(view);
  write(at("sentence"), sentence(view));
  write(at("place"), place());
  write(at("printed"), `${view.text} · seed ${view.settings.seed} · ${location.href}`);
}

/** What the charts show. */
function place() {
  const { look: where } = moment;
  if (!where) return prompt.still() || t("place.prompt");
  return t("place.look", { n: where.index + 1, lane: t(`lane.${where.lane}`) });
}

/** Ask for texts of tokens that came without. */
function want(ids) {
  const unknown = ids.filter((id) => !named.has(id));
  if (!unknown.length) return;
  for (const id of unknown) named.set(id, undefined); // asked for once
  ask("studio/tokens", { tokens: unknown }).then(
    ({ named: found }) => {
      for (const token of found) named.set(token.id, token);
      app.repaint();
    },
    (error) => say(() => wordsFor(error), true),
  );
}

let reads = 0;

/** Ask for the scores after a text or after tokens, and show them. */
async function read(body, where = null) {
  asked?.abort();
  const mine = (asked = new AbortController());
  say(() => t("status.reading"), false, true);
  try {
    if (!model) await meet();
    const answer = await ask("studio/next", body, mine.signal);
    for (const token of answer.named) named.set(token.id, token);
    const ranked = rankScores(readScores(answer.scores));
    for (const token of answer.prompt) token.before ??= Infinity; // null is "could not be": JSON has no infinity
    const tokens = where ? moment.prompt : answer.prompt;
    const free = entropyCurve(ranked, [{ name: "temperature" }]);
    const room = new Float64Array(ranked.ids.length); // for the probabilities on show, made anew with every move
    moment = { ranked, room, free, prompt: tokens, look: where, key: ++reads, scale: profile ? null : momentScale(free) };
    if (!where) {
      settings.set({ prompt: body.prompt }); // the settings hold the prompt that is on show
      prompt.met(null);
    }
    say(where ? place : () => t("status.ready", { n: whole(answer.prompt.length) }));
    paint();
    return true;
  } catch (error) {
    if (error.name === "AbortError") return false;
    say(() => wordsFor(error), true);
    if (!where) prompt.met(error);
    return false;
  }
}

/** Show the distribution at one place of a continuation: `{ lane, index, position }`. */
async function look(tokens, where) {
  if (await read({ tokens }, where)) at("bars-title").scrollIntoView({ block: "center", behavior: calm() ? "instant" : "smooth" });
}

function writeLink() {
  const { dataset } = document.documentElement;
  delete dataset.linked; // it is there while the address holds the settings
  clearTimeout(linkTimer); // browsers limit how often an address may change
  linkTimer = setTimeout(() => {
    history.replaceState(null, "", toHash(settings.get(), { language: language(), withPrompt: app.withPrompt() }));
    dataset.linked = "";
    if (view) app.repaint();
  }, 120);
}

function retranslate(code) {
  speak(code);
  about();
  at("status").textContent = saying();
  for (const part of parts) part.forget?.();
  writeLink();
  if (view) {
    knob.paintTicks(view);
    paint();
  }
}

function about() {
  if (model) {
    const sizes = { vocabulary: whole(model.vocabulary), context: whole(model.context) };
    at("model").textContent = t("model", { name: model.name, ...sizes });
  }
  const terms = ["temperature", "entropy", "surprisal", "top_k", "top_p", "min_p", "seed", "knob"];
  fill(at("help"), terms.map((term) => [h("dt", {}, t(`help.${term}`)), h("dd", {}, t(`help.${term}.text`))]));
}

const knob = mountKnob(app);
const streams = mountStreams(app);
const prompt = mountPrompt(app, () => streams.start());
const header = mountHeader(app);
const notice = mountNotice();
const panels = { bars: mountBars, numbers: mountNumbers, curve: mountCurve, chain: mountChain, draw: mountDraw, code: mountCode };
const waiting = Object.entries(panels).map(([id, mount]) => whenSeen(at(id), mount(app), app));
parts = [header, notice, prompt, knob, streams, mountWarnings(app), ...waiting];

settings.listen((now, { before, settled }) => {
  dragging = !settled;
  at("status").classList.remove("failed"); // what is written now may push it away
  writeLink();
  app.repaint();
  const drawn = ["value", "on", "order", "seed"].some((field) => now[field] !== before[field]);
  if (drawn && settled && view) requestAnimationFrame(() => requestAnimationFrame(() => streams.start()));
});
addEventListener("hashchange", () => {
  const { prompt: old } = settings.get();
  const next = fromHash(location.hash, { ...initial(), prompt: old });
  if (!next) return writeLink(); // a place in the page, such as the knob: the settings are put back into the address
  notice.show(next.refused);
  settings.set({ ...next.settings, prompt: old });
  if (next.language && next.language !== language()) retranslate(next.language);
  if (next.settings.prompt !== old) prompt.use(next.settings.prompt);
});

async function begin() {
  at("share-prompt").checked = new URLSearchParams(location.hash.slice(1)).has("prompt");
  retranslate(guessLanguage(link.language));
  notice.show(link.refused);
  await open();
}

/** Get to know the model, and show its first prompt; as long as the server does not answer, it is asked again. */
async function open() {
  if (model) return; // a prompt was sent meanwhile
  try {
    await meet();
  } catch (error) {
    if (at("status").textContent !== wordsFor(error)) say(() => wordsFor(error), true); // not read out again and again
    if (passes(error)) setTimeout(open, AGAIN_AFTER);
    return;
  }
  prompt.use(at("prompt").value || (settings.get().prompt ?? model.example_prompts[0]));
}

async function meet() {
  model = await ask("studio/model");
  const measured = model.profile;
  if (measured) profile = profileScale(measured.temperatures.map(Number), measured.entropy.mean);
  about();
  prompt.offer(model.example_prompts);
}

begin();
