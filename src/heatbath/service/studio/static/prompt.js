// The prompt: its text, its tokens coloured by surprisal, and examples that suit the small model.

import { at, fill, h } from "./dom.js";
import { bits, t } from "./i18n.js";
import { stepOf } from "./surprise.js";
import { prose, spoken } from "./tokens.js";

const EXAMPLES = [
  "There was once a",
  "Once upon a time",
  "There was once a king who",
  "The wolf",
  "The princess opened the door and saw a",
];

export function mountPrompt(app, onRead) {
  const box = at("prompt");
  const chips = EXAMPLES.map((text) => h("button", { type: "button", class: "chip", onclick: () => use(text) }, text));
  const tokens = h("p", { class: "prompt-tokens" });
  fill(at("examples"), chips);
  at("prompt-form").append(tokens);
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

  async function use(text) {
    box.value = text;
    app.set({ prompt: text });
    if (await app.read({ prompt: text })) onRead();
  }

  let shown = null;
  let text = null;
  return {
    paint({ prompt, settings }) {
      if (text !== settings.prompt) box.value = text = settings.prompt; // and leave alone what is being written
      for (const chip of chips) chip.setAttribute("aria-pressed", String(chip.textContent === settings.prompt));
      if (shown === prompt) return;
      shown = prompt;
      const pieces = prose(prompt);
      fill(
        tokens,
        h("span", { class: "fine" }, t("prompt.tokens")),
        " ",
        prompt.map((token, i) => {
          const title = t("token.label", { token: spoken(token), bits: bits(token.before), parts: "" });
          const word = pieces[i].trimStart();
          const space = pieces[i].slice(0, pieces[i].length - word.length);
          return [space, h("span", { class: `token s${stepOf(token.before)}`, title }, word)];
        }),
      );
    },
    forget: () => (shown = null),
  };
}
