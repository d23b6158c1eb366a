import { type ChildProcessByStdio, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath, pathToFileURL } from "node:url";

const PROGRAM = fileURLToPath(
  new URL("../../node_modules/yaml-language-server/bin/yaml-language-server", import.meta.url),
);

const NO_STORE = { schemaStore: { enable: false } };

/** A YAML language server as an editor runs it, over its standard input and output. */
export class LanguageServer implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers = new Map<number, (result: unknown) => void>();
  readonly #diagnoses = new Map<string, (messages: string[]) => void>();
  readonly #directory: string;
  #received = Buffer.alloc(0);
  #asked = 0;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#child = spawn(process.execPath, [PROGRAM, "--stdio"], { stdio: ["pipe", "pipe", "ignore"] });
    this.#child.stdout.on("data", (chunk: Buffer) => this.#receive(chunk));
  }

  /** Starts one on the files of a directory. */
  static async start(directory: string): Promise<LanguageServer> {
    const server = new LanguageServer(directory);
    const rootUri = pathToFileURL(directory).href;
    await server.#ask("initialize", { processId: null, rootUri, capabilities: {} });
    server.#send({ method: "initialized", params: {} });
    return server;
  }

  /** Opens a new file with this text and settles with what the server finds wrong in it. */
  open(name: string, text: string): Promise<string[]> {
    writeFileSync(join(this.#directory, name), text);
    const uri = this.#uri(name);
    return new Promise((resolve) => {
      this.#diagnoses.set(uri, resolve);
      const textDocument = { uri, languageId: "yaml", version: 1, text };
      this.#send({ method: "textDocument/didOpen", params: { textDocument } });
    });
  }

  /** What it offers at a place; line and character count from 0. */
  async complete(name: string, line: number, character: number): Promise<string[]> {
    const position = { line, character };
    const result = await this.#ask("textDocument/completion", {
      textDocument: { uri: this.#uri(name) },
      position,
    });
    return textsOf(result, "label");
  }

  /** What it shows of the word at a place. */
  async hover(name: string, line: number, character: number): Promise<string> {
    const position = { line, character };
    const result = await this.#ask("textDocument/hover", {
      textDocument: { uri: this.#uri(name) },
      position,
    });
    return textsOf(result, "value").join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.kill();
    await closed;
  }

  #uri(name: string): string {
    return pathToFileURL(join(this.#directory, name)).href;
  }

  #ask(method: string, params: unknown): Promise<unknown> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.#send({ id, method, params });
    });
  }

  #send(message: object): void {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    this.#child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const head = this.#received.indexOf("\r\n\r\n");
      if (head === -1) return;
      const length = Number(/Content-Length: (\d+)/i.exec(this.#received.toString("latin1", 0, head))?.[1]);
      const end = head + 4 + length;
      if (this.#received.length < end) return;
      this.#take(JSON.parse(this.#received.toString("utf8", head + 4, end)));
      this.#received = this.#received.subarray(end);
    }
  }

  #take(message: {
    id?: number;
    method?: string;
    result?: unknown;
    params?: { uri?: string; items?: { section?: string }[] };
  }): void {
    const { id, method, params } = message;
    if (method === undefined) return this.#answers.get(id ?? 0)?.(message.result);
    // It asks for the editor's settings: none, but that it asks nobody out there for schemas.
    if (id !== undefined)
      this.#send({
        id,
        result: params?.items?.map(({ section }) => (section === "yaml" ? NO_STORE : null)) ?? null,
      });
    if (method === "textDocument/publishDiagnostics")
      this.#diagnoses.get(params?.uri ?? "")?.(textsOf(params, "message"));
  }
}

/** Every text that bears this name in an answer, however deep. */
function textsOf(value: unknown, name: string): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === name && typeof inner === "string" ? [inner] : textsOf(inner, name),
  );
}
