// The knob: a slide rule, live choices above and temperatures below. It is linear in the mean entropy, so every stretch
// of it multiplies the live choices by as much; the temperature it stands for can be read and typed beside it.

import { at, dragged, fill, mark, shownIn, svg, write } from "./dom.js";
import { bits, bitsOf, choices, decimal, degree, liveChoices, t } from "./i18n.js";
import { number, withStep } from "./settings.js";
import { take } from "./typed.js";

const STEPS = 240; // of the range: whole numbers, so that both ends can be reached exactly
const HALF_THUMB = 14; // the middle of the thumb stays this far from the ends of its track
const TEMPERATURES = [0, 1, Infinity, 0.5, 2, 0.7, 1.5, 0.3, 0.8, 1.2, 0.9, 0.6, 3, 1.1, 5, 0.4];

export function mountKnob(app) {
  const range = at("knob");
  const box = at("temperature");
  const move = (settled) => {
    const { scale } = app.view();
    const entropy = scale.lowest + (Number(range.value) / STEPS) * (scale.highest - scale.lowest);
    setTemperature(app, scale.temperatureAt(entropy), settled);
  };
  dragged(range, move);
  range.addEventListener("dblclick", () => setTemperature(app, 1, true));
  range.addEventListener("keydown", (event) => event.key === "Backspace" && setTemperature(app, 1, true));
  at("cooler").addEventListener("click", () => step(-1));
  at("hotter").addEventListener("click", () => step(1));
  box.addEventListener("change", () => take(app, "temperature", box));
  box.addEventListener("keydown", (event) => {
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    const T = app.get().value.temperature;
    if (T !== Infinity) setTemperature(app, Math.max(0, Number((T + direction * 0.05).toFixed(6))), true);
  });

  // A quarter of a bit: about a fifth more, or fewer, live choices.
  function step(direction) {
    const { scale } = app.view();
    const now = app.get().value.temperature;
    let entropy = scale.entropyAt(now);
    let next = now;
    while (next === now && (direction > 0 ? now !== Infinity : now !== 0)) {
      entropy += direction * 0.25 * Math.LN2;
      next = scale.temperatureAt(entropy);
    }
    setTemperature(app, next, true);
  }

  new ResizeObserver(() => app.view() && paintTicks(app.view())).observe(at("ticks-effect"));
  const show = shownIn(box);
  return { paint: (view) => paint(view, range, show), paintTicks };
}

/** Set T, and switch its step on: whoever moves the knob wants it to count. */
export const setTemperature = (app, T, settled) => app.set(withStep(app.get(), "temperature", T), { settled });

function paint(view, range, show) {
  const T = view.settings.value.temperature;
  const entropy = view.scale.entropyAt(T);
  range.value = Math.round(shareOf(view.scale, entropy) * STEPS);
  show(number(T));
  const count = choices(Math.exp(entropy));
  const spoken = { T: degree(T), choices: liveChoices(Math.exp(entropy)), bits: bits(entropy) };
  mark(range, "aria-valuetext", t("knob.valuetext", spoken));
  write(at("effect"), count);
  const [where, many] = [view.scale.fromProfile ? "mean" : "here", count === "1" ? "one" : "many"];
  write(at("effect-unit"), t(`knob.unit.${where}.${many}`));
  write(at("effect-here"), t("knob.here", { n: choices(Math.exp(view.result.entropy)) }));
  write(at("temperature-help"), t(view.scale.fromProfile ? "knob.help" : "knob.help.here"));
}

/** How far along the knob an entropy is, 0 to 1. */
const shareOf = (scale, entropy) => (entropy - scale.lowest) / (scale.highest - scale.lowest);

const heated = document.getElementsByClassName("heated");

/** Give the colour of the temperature to what wears it, and to nothing above it: all that is inside would be styled again. */
export function heatUp({ scale, settings }) {
  const heat = `${(100 * shareOf(scale, scale.entropyAt(settings.value.temperature))).toFixed(1)}%`;
  for (const part of heated) if (part.style.getPropertyValue("--heat") !== heat) part.style.setProperty("--heat", heat);
}

/** The two scales and the zones; drawn when the scale, the zones or the width change, not while the knob moves. */
export function paintTicks(view) {
  const width = at("ticks-effect").clientWidth;
  const place = (entropy) => HALF_THUMB + shareOf(view.scale, entropy) * (width - 2 * HALF_THUMB);
  const powers = Array.from({ length: Math.floor(bitsOf(view.scale.highest)) + 1 }, (_, i) => 2 ** i);
  const counts = powers.filter((_, i) => i % Math.ceil((powers.length * 34) / width) === 0);
  scaleOf(at("ticks-effect"), counts.map((n) => [place(Math.log(n)), decimal(n, 0)]), 24, [20, 24], 14);
  const taken = [];
  for (const T of TEMPERATURES) {
    const x = place(view.scale.entropyAt(T));
    if (taken.every(([other]) => Math.abs(other - x) > 27)) taken.push([x, decimal(T, 1)]);
  }
  scaleOf(at("ticks-temperature"), taken, 24, [0, 4], 18);
  zones(view, width, place);
}

function scaleOf(element, marks, height, [from, to], baseline) {
  element.setAttribute("height", height);
  fill(
    element,
    marks.map(([x, text]) => [
      svg("line", { x1: x, x2: x, y1: from, y2: to }),
      svg("text", { x, y: baseline, "text-anchor": "middle" }, text),
    ]),
  );
}

function zones(view, width, place) {
  const { low, high } = view.zones;
  const bar = (from, to, kind) =>
    svg("rect", { x: from, y: 0, width: Math.max(0, to - from), height: 12, fill: `url(#${kind})`, class: kind });
  const hatch = (id, angle) =>
    svg(
      "pattern",
      { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: `rotate(${angle})` },
      svg("line", { x1: 0, y1: 0, x2: 0, y2: 6, class: id }),
    );
  fill(
    at("zones"),
    svg("defs", {}, hatch("zone-low", 45), hatch("zone-high", -45)),
    low === null ? [] : bar(0, place(view.scale.entropyAt(low)), "zone-low"),
    high === null ? [] : bar(place(view.scale.entropyAt(high)), width, "zone-high"),
  );
}
