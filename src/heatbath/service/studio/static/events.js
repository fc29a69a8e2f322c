// Talking to the server: JSON questions and a stream of events. Errors come back in words.

import { t } from "./i18n.js";

/** POST and read a JSON answer. */
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

const KNOWN = ["context_length_exceeded", "rate_limit_exceeded", "shutting_down"];

/** An error of the server in the reader's language where we have the words, in the server's otherwise. */
export const wordsFor = ({ code, message }) => (KNOWN.includes(code) ? t(`error.${code}`) : message);

async function send(path, body, signal) {
  const response = await reach(() =>
    fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal,
    }),
  );
  if (response.ok) return response;
  const answer = await response.json().catch(() => null);
  throw new Error(answer?.error ? wordsFor(answer.error) : `${response.status} ${response.statusText}`);
}

/** A browser says of every broken connection that fetching failed, in English. */
export async function reach(talk) {
  try {
    return await talk();
  } catch (error) {
    throw error instanceof TypeError ? new Error(t("error.unreachable")) : error;
  }
}

/** Scores sent as base64 of little-endian float32. */
export function readScores(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}
