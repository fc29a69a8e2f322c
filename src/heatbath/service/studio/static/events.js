// Talking to the server: JSON questions and a stream of events. Errors come back in words.

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
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (waiting + value).split("\n\n");
    waiting = blocks.pop();
    for (const block of blocks) {
      if (block.startsWith("data: ")) onEvent(JSON.parse(block.slice(6)));
    }
  }
}

async function send(path, body, signal) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  if (response.ok) return response;
  const answer = await response.json().catch(() => null);
  throw new Error(answer?.error?.message ?? `${response.status} ${response.statusText}`);
}

/** Scores sent as base64 of little-endian float32. */
export function readScores(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}
