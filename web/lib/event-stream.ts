/** One event of the server. */
export interface ServerEvent {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
}

/**
 * Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) out of `body` until it ends.
 * `onId` hears every id, also those of blocks without data, which are no events.
 */
export async function readEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  heard: { readonly onEvent: (event: ServerEvent) => void; readonly onId: (id: string) => void },
): Promise<void> {
  let rest = "";
  let id = "";
  for await (const chunk of textOf(body)) {
    const blocks = (rest + chunk).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = fieldsOf(block);
      id = fields.get("id") ?? id;
      heard.onId(id);
      const data = fields.get("data");
      if (data !== undefined)
        heard.onEvent({ id, type: fields.get("event") ?? "message", data: parsed(data) });
    }
  }
}

async function* textOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    reader.releaseLock();
  }
}

function fieldsOf(block: string): Map<string, string> {
  const lines = block.split("\n").filter((line) => !line.startsWith(":") && line.includes(":"));
  return new Map(
    lines.map((line) => {
      const at = line.indexOf(":");
      return [line.slice(0, at), line.slice(at + 1).replace(/^ /, "")];
    }),
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
