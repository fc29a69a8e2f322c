// A token's numbers and, where it was drawn, what could have been: its alternatives, each a button that continues from
// there.

import { fill, h } from "./dom.js";
import { bits, evenPercent, percent, t, whole } from "./i18n.js";
import { label, spoken } from "./tokens.js";

/** The one panel of the page, for the tokens of every run (see run.js). */
export function makeInspector() {
  const panel = h("div", { class: "inspector", id: "inspector", role: "dialog", hidden: true });
  document.body.append(panel);
  let anchor = null;
  let timer = 0;
  let pinned = false;

  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      const back = anchor;
      close();
      back?.focus({ preventScroll: true });
      close(); // the focus opened it again
    }
    const buttons = [...panel.querySelectorAll("button")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      buttons.at((buttons.indexOf(document.activeElement) + step) % buttons.length).focus();
    }
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && close());
  document.addEventListener("pointerdown", (event) => left(event.target));
  panel.addEventListener("pointerenter", () => clearTimeout(timer));
  panel.addEventListener("pointerleave", () => !pinned && leave());
  panel.addEventListener("focusout", (event) => left(event.relatedTarget));

  function open(run, index, span, { enter = false, pin = true } = {}) {
    clearTimeout(timer);
    const token = run.tokens[index];
    if (!token) return;
    anchor = span;
    pinned = pin;
    fill(panel, about(token), run.take && choices(run, index, token));
    panel.setAttribute("aria-label", t(run.take ? "inspect.title" : "inspect.given", { token: spoken(token) }));
    panel.hidden = false;
    place(span);
    if (enter) panel.querySelector("button")?.focus();
  }

  /** The token, and how likely it was: for a token of the prompt there is only the model to ask. */
  function about(token) {
    const line = (key, value) => [h("dt", {}, t(key)), h("dd", {}, value)];
    const chance = (p, nats) => `${percent(p)} · ${bits(nats)} ${t("bits")}`;
    const spelled = h("small", {}, t("inspect.id", { id: token.id, bytes: token.bytes || "–" }));
    return [
      h("p", { class: "inspect-token" }, h("span", {}, label(token)), spelled),
      h(
        "dl",
        { class: "inspect-numbers" },
        token.rank && line("inspect.rank", whole(token.rank)),
        line("inspect.before", chance(token.p ?? Math.exp(-token.before), token.before)),
        token.q !== undefined && line("inspect.after", chance(token.q, token.after)),
      ),
    ];
  }

  function choices(run, index, token) {
    const others = token.others.map((other) => {
      const take = () => leaveWith(() => run.take(index, other));
      const name = h("span", { class: "alternative-label" }, label(other));
      const was = h("span", { class: "was" }, evenPercent(other.p));
      const now = h("span", { class: "now" }, other.q > 0 ? evenPercent(other.q) : t("table.cut"));
      const kind = other.id === token.id ? "alternative taken" : "alternative";
      return h("li", {}, h("button", { type: "button", class: kind, onclick: take }, name, was, now));
    });
    const look = () => leaveWith(() => run.look(index));
    return [
      token.picked && h("p", { class: "fine" }, t("inspect.picked")),
      h("p", { class: "fine" }, t("inspect.continue")),
      h("ol", { class: "alternatives" }, others),
      h("button", { type: "button", class: "quiet", onclick: look }, t("inspect.look")),
    ];
  }

  function leaveWith(action) {
    close();
    action();
  }

  function place(span) {
    const box = span.getClientRects()[0] ?? span.getBoundingClientRect();
    const width = panel.offsetWidth;
    const height = panel.offsetHeight;
    const left = Math.min(Math.max(8, box.left - 12), document.documentElement.clientWidth - width - 8);
    const below = box.bottom + 8 + height < innerHeight || box.top < height + 8;
    panel.style.left = `${left + scrollX}px`;
    panel.style.top = `${(below ? box.bottom + 6 : box.top - height - 6) + scrollY}px`;
  }

  function close() {
    clearTimeout(timer);
    panel.hidden = true;
    pinned = false;
  }

  function hover(run, index, span) {
    if (pinned && !panel.hidden) return;
    clearTimeout(timer);
    timer = setTimeout(() => open(run, index, span, { pin: false }), 120);
  }

  function leave() {
    if (pinned) return;
    clearTimeout(timer);
    timer = setTimeout(close, 250);
  }

  /** The focus or the pointer went to `next`: the panel stays for what is in it and for tokens. */
  function left(next) {
    if (next && !panel.contains(next) && !next.classList?.contains("token")) close();
  }

  return { open, hover, leave, left, close };
}
