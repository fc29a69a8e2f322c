// Talking to the server: JSON questions and a stream of events. Errors carry a code, for which the page has words.

import { t } from "./i18n.js";

/** Read a JSON answer; a question with a body is posted. */
export async function ask(path, body, signal) {
  const response = await send(path, body, signal);
  return response.json();
}

/** POST and hand each event of the answer to `onEvent(data)`; ends when the stream does. */
export async function listen(path, body, signal, onEvent) {
  const response = await send(path, body, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { value, done } = await reach(() => reader.read());
    if (done) return;
    const blocks = (waiting + value).split("\n\n");
    waiting = blocks.pop();
    for (const block of blocks) {
      if (block.startsWith("data: ")) onEvent(JSON.parse(block.slice(6)));
    }
  }
}

const PASSING = ["unreachable", "rate_limit_exceeded", "shutting_down"];
const KNOWN = [...PASSING, "context_length_exceeded"];

/** Why something did not work: in the reader's language where we have the words, in the server's otherwise. */
export const wordsFor = ({ code, message }) =>
  t("status.failed", { why: KNOWN.includes(code) ? t(`error.${code}`) : message });

/** Whether the same request may work a little later: nothing is wrong with what was asked. */
export const passes = ({ code }) => PASSING.includes(code);

/** The server's error, to be thrown. */
export const problem = ({ code, message }) => Object.assign(new Error(message), { code });

async function send(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  const post = body && { method: "POST", headers, body: JSON.stringify(body) };
  const response = await reach(() => fetch(path, { ...post, signal }));
  if (response.ok) return response;
  const answer = await response.json().catch(() => null);
  throw problem(answer?.error ?? { message: `${response.status} ${response.statusText}` });
}

/** Every broken connection is a TypeError to a browser, with English words of its own. */
async function reach(talk) {
  try {
    return await talk();
  } catch (error) {
    throw error instanceof TypeError ? problem({ code: "unreachable", message: error.message }) : error;
  }
}

/** Scores sent as base64 of little-endian float32. */
export function readScores(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}
