import { EventSource } from "eventsource";
import * as z from "zod";
import { type Ask, type Client, installed } from "./client.ts";

const chunk = z.object({
  error: z.unknown().optional(),
  choices: z.array(z.object({ delta: z.object({ content: z.string().nullish() }) })).default([]),
});

class Failure extends Error {
  readonly code: number | undefined;

  constructor(code: number | undefined) {
    super(`the event stream failed: ${code ?? "cut"}`);
    this.code = code;
  }
}

/** The browsers' EventSource, given a `fetch` that posts the chat. */
export const eventSource: Client = {
  name: installed("eventsource"),
  dialect: "openai",
  async *stream(ask) {
    const events = openStream(ask);
    const { readable, writable } = new TransformStream<string, string>();
    const writer = writable.getWriter();
    const stop = (error?: unknown) => {
      events.close();
      const ended = error === undefined ? writer.close() : writer.abort(error);
      ended.catch(() => undefined);
    };
    events.onmessage = ({ data }) => {
      if (data === "[DONE]") return stop();
      const { error, choices } = chunk.parse(JSON.parse(String(data)));
      if (error !== undefined) return stop(new Failure(undefined));
      const text = choices[0]?.delta.content;
      if (text) writer.write(text).catch(() => undefined);
    };
    events.onerror = ({ code }) => stop(new Failure(code));
    ask.signal?.addEventListener("abort", () => stop(ask.signal?.reason));
    yield* readable;
  },
  kindOf: (error) => (error instanceof Failure ? `error event ${error.code}` : String(error)),
  errors: {
    401: "error event 401",
    403: "error event 403",
    404: "error event 404",
    429: "error event 429",
    500: "error event 500",
  },
  retries: false,
  obeysShouldRetry: false,
};

function openStream({ url, key, model }: Ask): EventSource {
  const body = JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "hello" }] });
  return new EventSource(`${url}/v1/chat/completions`, {
    fetch: (input, { signal, headers }) =>
      fetch(input, {
        method: "POST",
        body,
        signal,
        headers: { ...headers, authorization: `Bearer ${key}`, "content-type": "application/json" },
      }),
  });
}
