// Entropy of this next token against T: of the model alone (dashed) and behind the chain (solid), with the three
// temperatures of the continuations. A click or the arrow keys set T. The axis holds every temperature: T / (1 + T).

import { at, fill, h, mark, svg, write } from "./dom.js";
import { bits, bitsOf, decimal, degree, t } from "./i18n.js";
import { setTemperature } from "./knob.js";
import { fromAxis, onCurve, toAxis } from "./maths.js";
import { twin } from "./table.js";

const EDGE = { left: 34, right: 14, top: 14, bottom: 34 };
/** How far along the axis a key moves T. */
const KEYS = {
  ArrowRight: 0.01, ArrowUp: 0.01, PageUp: 0.1, End: 1,
  ArrowLeft: -0.01, ArrowDown: -0.01, PageDown: -0.1, Home: -1,
};
const TICKS = [0, 0.25, 0.5, 1, 2, 4, Infinity];

/** The shape of a lane, which tells it apart as well as its colour. */
export function laneMark(lane, x, y, size = 6) {
  const r = size * 1.1;
  const shapes = {
    cooler: () => svg("path", { d: `M${x} ${y - r}l${r} ${r}l${-r} ${r}l${-r} ${-r}z` }),
    chosen: () => svg("circle", { cx: x, cy: y, r: size }),
    hotter: () => svg("path", { d: `M${x} ${y - size * 1.1}l${size} ${size * 1.9}h${-2 * size}z` }),
  };
  const shape = shapes[lane]();
  shape.setAttribute("class", `mark-${lane}`);
  return shape;
}

export function mountCurve(app) {
  const lines = svg("g");
  const foot = svg("line", { class: "now" });
  const marks = Object.fromEntries(["cooler", "hotter", "chosen"].map((lane) => [lane, laneMark(lane, 0, 0, lane === "chosen" ? 7 : 5)]));
  const picture = svg("svg", { role: "img", class: "curve" }, lines, foot, Object.values(marks));
  const hand = h("div", { class: "curve-hand", role: "slider", tabIndex: 0, "aria-valuemin": 0, "aria-valuemax": 100 });
  const caption = h("p", { class: "fine" });
  const key = h("p", { class: "fine key" });
  const table = twin("entropy-against-temperature", () => tableRows(app.view()));
  fill(at("curve"), h("div", { class: "curve-frame" }, picture, hand), key, caption, table.element);
  let drawn = null;
  let [width, height] = [0, 0]; // kept, because asking for them while painting would force a layout
  new ResizeObserver(([{ contentRect }]) => {
    ({ width, height } = contentRect);
    drawn = null;
    app.repaint();
  }).observe(hand);

  const across = () => width - EDGE.left - EDGE.right;
  const px = (T) => EDGE.left + toAxis(T) * across();
  const py = (entropy, top) => height - EDGE.bottom - (entropy / top) * (height - EDGE.top - EDGE.bottom);

  const point = (event, settled) => {
    const x = (event.clientX - hand.getBoundingClientRect().left - EDGE.left) / across();
    const T = fromAxis(Math.min(1, Math.max(0, x)));
    setTemperature(app, T > 60 ? Infinity : Number(T.toFixed(2)), settled);
  };
  hand.addEventListener("pointerdown", (event) => {
    hand.setPointerCapture(event.pointerId);
    point(event, false);
  });
  hand.addEventListener("pointermove", (event) => hand.hasPointerCapture(event.pointerId) && point(event, false));
  hand.addEventListener("pointerup", (event) => point(event, true));
  hand.addEventListener("pointercancel", () => setTemperature(app, app.get().value.temperature, true)); // it scrolls the page
  hand.addEventListener("keydown", (event) => {
    const by = KEYS[event.key];
    if (!by) return;
    event.preventDefault();
    const x = Math.min(1, Math.max(0, toAxis(app.get().value.temperature) + by));
    setTemperature(app, x === 1 ? Infinity : Number(fromAxis(x).toPrecision(3)), true);
  });

  function drawLines({ curve }) {
    drawn = curve;
    for (const [name, value] of Object.entries({ width, height })) mark(picture, name, value);
    mark(foot, "y2", height - EDGE.bottom);
    fill(key, ["free", "kept"].map((kind) => h("span", { class: `swatch heated line-${kind}` }, t(`curve.${kind}`))));
    const top = highest(curve);
    const place = ({ T, entropy }) => `${px(T).toFixed(1)} ${py(entropy, top).toFixed(1)}`;
    const path = (points) => `M${points.map(place).join("L")}`;
    const step = [0.5, 1, 2, 3, 4].find((each) => bitsOf(top) / each <= 5.5) ?? 5;
    const levels = Array.from({ length: Math.floor(bitsOf(top) / step) + 1 }, (_, i) => i * step);
    const ticks = TICKS.filter((T) => width > 300 || T !== 0.25);
    fill(
      lines,
      levels.map((level) => {
        const y = py(level * Math.LN2, top);
        return [
          svg("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y, y2: y }),
          svg("text", { x: EDGE.left - 7, y: y + 4, "text-anchor": "end" }, decimal(level, 1)),
        ];
      }),
      ticks.map((T) => svg("text", { x: px(T), y: height - EDGE.bottom + 16, "text-anchor": "middle" }, decimal(T))),
      svg("text", { x: width - EDGE.right, y: height - 3, class: "axis", "text-anchor": "end" }, t("curve.axis")),
      svg("text", { x: EDGE.left + 5, y: EDGE.top + 2, class: "axis" }, t("bits")),
      svg("line", { class: "one", x1: px(1), x2: px(1), y1: EDGE.top, y2: height - EDGE.bottom }),
      svg("path", { class: "free", d: path(curve.free) }),
      svg("path", { class: "kept heated", d: path(curve.kept) }),
    );
  }

  return {
    paint(view) {
      if (width === 0) return;
      if (drawn !== view.curve) drawLines(view);
      const top = highest(view.curve);
      for (const [lane, shape] of Object.entries(marks)) {
        const [x, y] = [px(view.lanes[lane]), py(onCurve(view.curve.kept, view.lanes[lane]), top)].map((n) => n.toFixed(1));
        mark(shape, "transform", `translate(${x} ${y})`);
        if (lane !== "chosen") continue;
        for (const [name, value] of Object.entries({ x1: x, x2: x, y1: y })) mark(foot, name, value);
      }
      const T = view.settings.value.temperature;
      const entropies = { free: bits(view.freeEntropy), kept: bits(view.result.entropy) };
      const words = t("curve.summary", { T: degree(T), ...entropies });
      mark(picture, "aria-label", words);
      write(caption, words);
      mark(hand, "aria-label", t("curve.hand"));
      mark(hand, "aria-valuenow", Math.round(100 * toAxis(T)));
      mark(hand, "aria-valuetext", words);
      table.update();
    },
    forget: () => (drawn = null),
  };
}

/** The top of the picture: the entropy of an even choice, or a little for the sake of a choice of one. */
const highest = ({ free }) => Math.max(free.at(-1).entropy, 1e-9);

function tableRows({ curve }) {
  const header = [t("numbers.temperature"), t("curve.free"), t("curve.kept")];
  const both = (entropy) => [bits(entropy), bitsOf(entropy)];
  const lines = curve.free.map(({ T, entropy }, i) => [[degree(T, 2), T], both(entropy), both(curve.kept[i].entropy)]);
  return [header, ...lines.filter((_, i) => i % 5 === 0)];
}
