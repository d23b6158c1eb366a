/** One event of the server. */
export interface ServerEvent {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
}

/** Who is told what a stream says. */
export interface StreamListener {
  readonly onEvent: (event: ServerEvent) => void;
  /** Every id, also those of blocks without data, which are no events. */
  readonly onId?: (id: string) => void;
  /** How long the server wants to be left alone after a cut. */
  readonly onRetry?: (ms: number) => void;
}

/** Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) out of `body` until it ends. */
export async function readEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  listener: StreamListener,
): Promise<void> {
  let id = "";
  let fields = new Map<string, string>();
  for await (const line of linesOf(body)) {
    if (line !== "") {
      addField(fields, line);
      continue;
    }
    const given = fields.get("id");
    if (given !== undefined) listener.onId?.(given);
    id = given ?? id;
    const retry = fields.get("retry") ?? "";
    if (/^\d+$/.test(retry)) listener.onRetry?.(Number(retry));
    const data = fields.get("data");
    if (data !== undefined)
      listener.onEvent({ id, type: fields.get("event") || "message", data: parsed(data) });
    fields = new Map();
  }
}

/** Whole lines alone; a return at the end of a chunk may be the first half of a line's end. */
async function* linesOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of textOf(body)) {
    const lines = (rest + chunk).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest.endsWith("\r")) yield rest.slice(0, -1);
}

async function* textOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    reader.releaseLock();
  }
}

/** Lines of data are one text; of any other field the last counts. A line that begins with a colon is a comment. */
function addField(fields: Map<string, string>, line: string): void {
  const at = line.indexOf(":");
  const name = at === -1 ? line : line.slice(0, at);
  const value = at === -1 ? "" : line.slice(at + 1).replace(/^ /, "");
  const before = name === "data" ? fields.get(name) : undefined;
  if (name !== "") fields.set(name, before === undefined ? value : `${before}\n${value}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
