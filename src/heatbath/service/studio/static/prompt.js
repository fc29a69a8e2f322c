// The prompt: its text, its tokens coloured by surprisal, and examples that the model suggests. While a prompt is
// refused, the page goes on showing the one before, and says so.

import { at, fill, h, write } from "./dom.js";
import { passes, wordsFor } from "./events.js";
import { language, named, t } from "./i18n.js";
import { makeRun } from "./run.js";

const LONGEST = 60; // letters of the prompt on show that are repeated

/** Whether a model reads a text mostly byte by byte: it has no tokens for these letters, and so hardly met them. */
const inBytes = (tokens) => 2 * tokens.filter(({ text, end }) => !end && text === null).length > tokens.length;

export function mountPrompt(app, onRead) {
  const box = at("prompt");
  let chips = [];
  const caption = h("span", { class: "fine", id: "prompt-tokens" });
  const text = h("span", { class: "run", role: "group", "aria-labelledby": "prompt-tokens" });
  const run = makeRun(text, app.inspector, { tokens: [], parts: null }, () => "before");
  const unread = h("p", { class: "unread" });
  at("prompt-form").append(h("p", { class: "prompt-tokens" }, caption, " ", text), unread);
  at("prompt-form").addEventListener("submit", (event) => {
    event.preventDefault();
    use(box.value);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      use(box.value);
    }
  });

  let refusal = null;
  let shown = null;

  /** Prompts to try. */
  function offer(examples) {
    chips = examples.map((text) => h("button", { type: "button", class: "chip", onclick: () => use(text) }, text));
    fill(at("examples"), chips);
  }

  async function use(text) {
    box.value = text; // from here on what is in the box is the writer's
    if (await app.read({ prompt: text })) onRead();
  }

  /** What became of the prompt that was sent: an error, or null where it was read. */
  function met(error) {
    refusal = error;
    tell();
    app.repaint();
  }

  /** What the page shows in place of a prompt that was refused; nothing while it shows what was sent. */
  function still() {
    if (!refusal || !app.view()) return "";
    const { prompt } = app.get();
    const short = prompt.length > LONGEST ? `${prompt.slice(0, LONGEST)}…` : prompt;
    return t("prompt.still", { prompt: short.replaceAll("\n", "↵") });
  }

  function tell() {
    box.setAttribute("aria-invalid", String(refusal !== null && !passes(refusal)));
    at("prompt-refused").textContent = refusal ? [wordsFor(refusal), still()].join(t("says.join")) : "";
    document.body.classList.toggle("stale", still() !== "");
  }

  return {
    offer,
    use,
    met,
    still,
    paint({ prompt, settings, model }) {
      tell();
      const strange = model.languages.length > 0 && !model.languages.includes(language());
      write(at("prompt-language"), strange ? t("prompt.languages", { names: named(model.languages) }) : "");
      write(unread, inBytes(prompt) ? t("prompt.unread") : "");
      for (const chip of chips) chip.setAttribute("aria-pressed", String(chip.textContent === settings.prompt));
      if (shown === prompt) return;
      shown = prompt;
      caption.textContent = t("prompt.tokens");
      run.restart(prompt.filter(({ end }) => !end)); // a mark put in front was not written, and has no text
    },
    forget() {
      shown = null;
      tell(); // also while there is nothing to show yet
    },
  };
}
