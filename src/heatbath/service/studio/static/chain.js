// The chain as cards: temperature, top-k, top-p and min-p, in the order in which they act. A card shows the
// probabilities as they reach it and where it cuts. Cards move by drag, and by two buttons for keyboard and touch.

import { at, dragged, fill, h, mark, shownIn, svg, write } from "./dom.js";
import { degree, t, whole } from "./i18n.js";
import { LETTERS, ORDERS, number, withStep } from "./settings.js";
import { take } from "./typed.js";

/** How many of the best options a card shows. */
export const BARS = 44;
const CARD = { width: 176, height: 56 };
const SHAPES = ["stays", "goes", "outline", "stairs", "limit"];

export function mountChain(app) {
  const cards = Object.fromEntries(Object.keys(LETTERS).map((name) => [name, card(app, name)]));
  const list = at("chain");
  const presets = ["first", "last"].map((which) => {
    const take = () => app.set({ order: ORDERS[which] });
    return h("button", { type: "button", class: "chip", "data-order": which, onclick: take });
  });
  fill(at("presets"), presets);
  const [note, code] = [h("span"), h("code")];
  fill(at("order-note"), note, " ", code);
  let carried = null;
  for (const [name, { element }] of Object.entries(cards)) {
    element.addEventListener("dragstart", (event) => {
      carried = name;
      event.dataTransfer.setData("text/plain", name);
      event.dataTransfer.effectAllowed = "move";
    });
    element.addEventListener("dragover", (event) => carried && event.preventDefault());
    element.addEventListener("drop", (event) => {
      event.preventDefault();
      if (carried && carried !== name) move(app, carried, app.get().order.indexOf(name));
      carried = null;
    });
    element.addEventListener("dragend", () => (carried = null));
  }

  return {
    paint(view) {
      const { settings } = view;
      const order = settings.order.map((name) => cards[name].element);
      if (order.some((element, i) => list.children[i] !== element)) fill(list, order);
      for (const name of settings.order) cards[name].paint(view);
      const same = (which) => ORDERS[which].every((name, i) => settings.order[i] === name);
      for (const button of presets) {
        write(button, t(`chain.preset.${button.dataset.order}`));
        mark(button, "aria-pressed", String(same(button.dataset.order)));
      }
      write(note, t(`chain.note.${Object.keys(ORDERS).find(same) ?? "own"}`));
      const steps = view.text.split(" -> ").map((step, i) => (i ? `-> ${step}` : step));
      if (code.children.length !== steps.length) fill(code, steps.map((_, i) => [i ? " " : "", h("span")]));
      for (const [i, step] of steps.entries()) write(code.children[i], step);
    },
  };
}

/** Move a step to another place; the focus stays where it was. */
function move(app, name, place) {
  const focused = document.activeElement;
  const order = app.get().order.filter((other) => other !== name);
  order.splice(place, 0, name);
  app.set({ order });
  app.say(() => t("chain.moved", { name: t(`step.${name}`), place: place + 1 }));
  requestAnimationFrame(() => requestAnimationFrame(() => {
    const card = document.querySelector(`[data-step="${name}"]`);
    const target = focused?.disabled ? card.querySelector("[data-move]:not(:disabled)") : focused;
    if (card.contains(target)) target.focus();
  }));
}

function card(app, name) {
  const title = h("span", { class: "card-name" });
  const flip = () => app.set(withStep(app.get(), name, app.get().value[name], toggle.checked));
  const toggle = h("input", { type: "checkbox", role: "switch", onchange: flip });
  const box = h("input", { type: "text", inputMode: "decimal", autocomplete: "off", class: "card-value" });
  const show = shownIn(box);
  const slide = name === "temperature" ? null : h("input", { type: "range", min: 0, max: 100, class: "plain" });
  const by = (step) => () => move(app, name, app.get().order.indexOf(name) + step);
  const earlier = h("button", { type: "button", class: "step small", "data-move": "earlier", onclick: by(-1) }, "←");
  const later = h("button", { type: "button", class: "step small", "data-move": "later", onclick: by(1) }, "→");
  const viewBox = `0 0 ${CARD.width} ${CARD.height}`;
  const shapes = Object.fromEntries(SHAPES.map((kind) => [kind, svg("path", { class: kind })]));
  shapes.stays.classList.add("heated");
  const picture = svg("svg", { role: "img", class: "mini", viewBox, preserveAspectRatio: "none" }, Object.values(shapes));
  const effect = h("p", { class: "card-effect" });
  const help = h("p", { class: "fine card-help" });
  const element = h(
    "li",
    { class: "card", draggable: true, "data-step": name },
    h(
      "div",
      { class: "card-head" },
      h("label", { class: "switch" }, toggle, title),
      h("span", { class: "moves" }, earlier, later),
    ),
    picture,
    h("div", { class: "card-set" }, box, slide),
    effect,
    help,
  );
  // A drag that begins on a control is for the control.
  for (const control of [box, slide]) {
    control?.addEventListener("pointerdown", () => (element.draggable = false));
    control?.addEventListener("pointerup", () => (element.draggable = true));
    control?.addEventListener("blur", () => (element.draggable = true));
  }
  const change = (value, settled) => app.set(withStep(app.get(), name, value), { settled });
  const slid = () => fromSlide(name, Number(slide.value), app.view().ranked.ids.length);
  if (slide) dragged(slide, (settled) => change(slid(), settled));
  box.addEventListener("change", () => take(app, name, box));

  function paint(view) {
    const { settings } = view;
    const place = settings.order.indexOf(name);
    const on = settings.on[name];
    element.classList.toggle("off", !on);
    write(title, t(`step.${name}`));
    toggle.checked = on;
    const value = settings.value[name];
    show(number(value));
    mark(box, "aria-label", t("chain.value", { name: t(`step.${name}`) }));
    if (slide) {
      slide.value = toSlide(name, value, view.ranked.ids.length);
      mark(slide, "aria-label", t("chain.value", { name: t(`step.${name}`) }));
      mark(slide, "aria-valuetext", number(value));
    }
    earlier.disabled = place === 0;
    later.disabled = place === settings.order.length - 1;
    mark(earlier, "aria-label", t("chain.earlier", { name: t(`step.${name}`) }));
    mark(later, "aria-label", t("chain.later", { name: t(`step.${name}`) }));
    write(help, t(`step.${name}.help`));
    const words = effectWords(view, name);
    write(effect, words);
    mark(picture, "aria-label", words);
    for (const [kind, shape] of Object.entries(miniature(view, name))) mark(shapes[kind], "d", shape);
  }
  return { element, paint };
}

/** A slider's place, 0 to 100, as a value: k on a logarithmic scale, p as it is. */
const fromSlide = (name, place, size) =>
  name === "top_k" ? Math.round(size ** (place / 100)) : Math.max(name === "top_p" ? 0.01 : 0, place / 100);
const toSlide = (name, value, size) =>
  name === "top_k" ? (100 * Math.log(Math.min(value, size))) / Math.log(size) : value * 100;

function effectWords(view, name) {
  if (!view.settings.on[name]) return t("chain.off");
  const { before, after } = view.result.trail.find((each) => each.name === name);
  if (name === "temperature") {
    const T = view.settings.value.temperature;
    return t(T === 0 ? "chain.takes" : T === Infinity ? "chain.levels" : "chain.tempers", { T: degree(T) });
  }
  if (after === before) return t("chain.idle", { n: whole(before) });
  return t("chain.cuts", { before: whole(before), after: whole(after) });
}

/** The probabilities as they reach the card, as bars, and the line at which it cuts: a path for each of `SHAPES`. */
function miniature({ settings, result }, name) {
  const { trail } = result;
  const index = trail.findIndex((step) => step.name === name);
  const next = trail[index < 0 ? stepsBefore(settings, name) : index + 1];
  const after = { head: next?.head ?? result.p, kept: next?.before ?? result.kept };
  const incoming = index < 0 ? after.head : trail[index].head;
  const { width, height } = CARD;
  const floor = height - 1;
  const gap = width / BARS;
  const scale = (height - 6) / Math.max(incoming[0], name === "temperature" ? after.head[0] : 0);
  const shapes = Object.fromEntries(SHAPES.map((kind) => [kind, ""]));
  const bar = (i, p, kind) => {
    const tall = p * scale;
    if (tall > 0.4) shapes[kind] += `M${i * gap + 0.5} ${floor}v${-tall.toFixed(2)}h${gap - 1.5}v${tall.toFixed(2)}`;
  };
  const level = (share) => `M0 ${(floor - share).toFixed(2)}H${width}`;
  let mass = 0;
  for (let i = 0; i < BARS; i++) {
    const p = incoming[i] ?? 0;
    if (name !== "temperature") bar(i, p, i < after.kept ? "stays" : "goes");
    else {
      bar(i, after.head[i] ?? 0, "stays");
      bar(i, p, "outline");
    }
    mass += p;
    if (name === "top_p") shapes.stairs += `${i ? "L" : "M"}${i * gap} ${(floor - mass * (height - 6)).toFixed(2)}h${gap}`;
  }
  const value = settings.value[name];
  if (name === "top_k" && value < BARS) shapes.limit = `M${value * gap} 0V${height}`;
  if (name === "min_p") shapes.limit = level(value * incoming[0] * scale);
  if (name === "top_p") shapes.limit = level(value * (height - 6));
  return shapes;
}

/** How many of the steps that are on stand before this one. */
const stepsBefore = ({ order, on }, name) => order.slice(0, order.indexOf(name)).filter((other) => on[other]).length;
