// The present setting as code that runs, for four libraries. Pure functions from settings to text; the comments in the
// code are English in every language, as code is.

import { ORDERS, number, textOf } from "./settings.js";

const LENGTH = 80;
const AS_GOOD_AS_INFINITE = 1e9;

const WARPERS = {
  temperature: "TemperatureLogitsWarper",
  top_k: "TopKLogitsWarper",
  top_p: "TopPLogitsWarper",
  min_p: "MinPLogitsWarper",
};

const quote = (text) => JSON.stringify(text);
/** A number as Python's float: transformers refuses the integer 2. */
const float = (value) => (/^\d+$/.test(number(value)) ? `${value}.0` : number(value));
const finite = (T) => (T === Infinity ? AS_GOOD_AS_INFINITE : T);
const valueOf = (steps, name) => steps.find((step) => step.name === name)?.value;
/** Whether the steps stand in the order that separate fields stand for. */
const usualOrder = (steps) => {
  const names = steps.map(({ name }) => name);
  return ORDERS.first.filter((name) => names.includes(name)).every((name, i) => names[i] === name);
};
const lines = (...parts) => parts.flat().filter((part) => part !== null).join("\n");

/** `about`: `{ steps, seed, prompt, model, origin }`. */
export const CODE = {
  openai(about) {
    const { steps, seed, prompt, model, origin } = about;
    const T = valueOf(steps, "temperature") ?? 1;
    const separate = usualOrder(steps) && T !== Infinity;
    const more = ["top_k", "min_p"].filter((name) => valueOf(steps, name));
    const top = valueOf(steps, "top_p");
    const extra = more.map((name) => `${quote(name)}: ${valueOf(steps, name)}`).join(", ");
    const fields = separate
      ? [`    temperature=${T},`, top ? `    top_p=${top},` : null, extra ? `    extra_body={${extra}},` : null]
      : [`    extra_body={"heatbath": ${quote(textOf(steps))}},`];
    return lines(
      "from openai import OpenAI",
      "",
      `client = OpenAI(base_url=${quote(`${origin}/v1`)}, api_key="none")`,
      separate
        ? "# The steps act in this order: temperature, top_k, top_p, min_p."
        : "# An order of its own, or an infinite T, travels as a chain: a field that heatbath reads.",
      separate && more.length ? "# top_k and min_p are not OpenAI's: heatbath, vLLM and SGLang read them." : null,
      "answer = client.completions.create(",
      `    model=${quote(model)},`,
      `    prompt=${quote(prompt)},`,
      `    max_tokens=${LENGTH},`,
      `    seed=${seed},`,
      fields,
      ")",
      "print(answer.choices[0].text)",
    );
  },

  transformers(about) {
    const { steps, seed, prompt } = about;
    const T = valueOf(steps, "temperature") ?? 1;
    const k = valueOf(steps, "top_k");
    const usual = usualOrder(steps);
    const written = (name, value) => (name === "top_k" ? String(value) : float(finite(value)));
    const calls = steps.map(({ name, value }) => `${WARPERS[name]}(${written(name, value)})`).join(", ");
    const own = T !== 0 && !usual;
    const names = own ? ["LogitsProcessorList", ...steps.map(({ name }) => WARPERS[name]).sort()] : [];
    const imports = ["AutoModelForCausalLM", "AutoTokenizer", ...names, "set_seed"];
    const settings =
      T === 0
        ? ["    do_sample=False,  # T = 0 is the best token every time; transformers has no temperature=0"]
        : own
          ? [
              "    do_sample=True,",
              "    # The steps in their own order. transformers' built-in order is fixed, so its own are switched off.",
              `    logits_processor=LogitsProcessorList([${calls}]),`,
              "    temperature=1.0,",
              "    top_k=0,",
              "    top_p=1.0,",
            ]
          : [
              "    do_sample=True,",
              "    # transformers applies these in a fixed order: temperature, top_k, top_p, min_p.",
              `    temperature=${float(finite(T))},`,
              k ? `    top_k=${k},` : "    top_k=0,  # off; left out it is 50",
              `    top_p=${float(valueOf(steps, "top_p") ?? 1)},`,
              valueOf(steps, "min_p") ? `    min_p=${float(valueOf(steps, "min_p"))},` : null,
            ];
    return lines(
      `from transformers import ${imports.join(", ")}`,
      "",
      'name = "gpt2"  # your model: a name on the hub, or a folder',
      "tokenizer = AutoTokenizer.from_pretrained(name)",
      "model = AutoModelForCausalLM.from_pretrained(name)",
      `inputs = tokenizer(${quote(prompt)}, return_tensors="pt")`,
      `set_seed(${seed})`,
      T === Infinity ? "# transformers cannot take an infinite temperature; 1e9 is as good as one." : null,
      "tokens = model.generate(",
      "    **inputs,",
      `    max_new_tokens=${LENGTH},`,
      settings,
      ")",
      "print(tokenizer.decode(tokens[0], skip_special_tokens=True))",
    );
  },

  llama(about) {
    const { steps, seed, prompt } = about;
    const infinite = valueOf(steps, "temperature") === Infinity;
    const body = {
      prompt,
      n_predict: LENGTH,
      seed,
      samplers: steps.map(({ name }) => name),
      ...Object.fromEntries(steps.map(({ name, value }) => [name, finite(value)])),
    };
    const fields = Object.entries(body).map(([name, value]) => `  ${quote(name)}: ${JSON.stringify(value)}`);
    return lines(
      "# First: llama-server -m model.gguf --port 8080",
      '# "samplers" names the steps and their order.',
      "# Left out, llama.cpp adds steps of its own and puts temperature last.",
      infinite ? "# JSON has no infinity; a temperature of 1e9 is as good as one." : null,
      "curl http://127.0.0.1:8080/completion -H 'Content-Type: application/json' -d '{",
      fields.join(",\n").replaceAll("'", "'\\''"),
      "}'",
    );
  },

  heatbath(about) {
    const { steps, seed } = about;
    const calls = steps.map(({ name, value }) => `hb.${name}(${value === Infinity ? 'float("inf")' : number(value)})`);
    return lines(
      "import numpy as np",
      "import heatbath as hb",
      "",
      `sampler = hb.chain(${calls.join(", ")})`,
      `assert str(sampler) == ${quote(textOf(steps))}  # hb.parse reads this text back`,
      "",
      "state = sampler.init()",
      "logits = np.array([3.0, 2.0, 1.0, 0.5, -1.0])  # put your model's scores of the next token here",
      `token, state, reading = sampler.step(state, logits, seed=${seed}, reading=True)`,
      "print(token, reading)",
    );
  },
};
