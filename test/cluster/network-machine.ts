import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Answer, type Call, send } from "#test/claviger.ts";
import { requiredTool } from "#test/system/required-tool.ts";
import { type ProgramRun, runProgram } from "#test/system/run-program.ts";
import { type RunningProgram, startProgram } from "#test/system/running-program.ts";
import NODE_FLAGS from "../../runtime/node-flags.json" with { type: "json" };
import { inside, type Place } from "./network-place.ts";

const MAIN = path.resolve(import.meta.dirname, "../../src/main.ts");
const NODE = [process.execPath, ...NODE_FLAGS.sources, MAIN];
/** A listener for the others, as `claviger cluster init` writes it. */
const CONFIG = `resources:
  lan: { resource_type: HttpServer, listen_addr: ":8442", tls: auto, auth: [users, keys, cluster] }
`;
/** No command takes so long, whoever does not answer it. */
const COMMAND_DEADLINE_S = 120;

interface MachineParts extends Place {
  /** The home directory of who runs the server; its data directory is below it, where it is by default. */
  readonly home: string;
  readonly address4: string;
  readonly address6: string;
  /** The name of its cable's end at the switch. */
  readonly port: string;
}

/** A machine of a `Network`: its server is a process of its own, and so is each of its commands. */
export class Machine implements AsyncDisposable {
  readonly name: string;
  readonly home: string;
  readonly url: string;
  readonly url6: string;
  readonly port: string;
  /** What its processes have in their environment beside the least. */
  environment: Readonly<Record<string, string>> = {};
  readonly #place: Place;
  #server: RunningProgram | undefined;

  constructor({ name, pid, home, address4, address6, port }: MachineParts) {
    this.name = name;
    this.home = home;
    this.url = `https://${address4}:8442`;
    this.url6 = `https://[${address6}]:8442`;
    this.port = port;
    this.#place = { name, pid };
    const bin = path.join(home, "bin");
    mkdirSync(bin, { recursive: true });
    writeFileSync(path.join(bin, "claviger"), `#!/bin/sh\nexec ${NODE.join(" ")} "$@"\n`);
    chmodSync(path.join(bin, "claviger"), 0o755);
  }

  /** Has what is started from now on see another time, `+5y` from now: libfaketime. How fast time goes is not changed. */
  setClock(offset: string): void {
    // Beside the program lies the library.
    requiredTool("faketime");
    this.environment = {
      LD_PRELOAD: "/usr/$LIB/faketime/libfaketime.so.1",
      FAKETIME: offset,
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }

  /** Starts its server with a listener for the others, and settles when it listens. */
  async serve(): Promise<void> {
    const directory = path.join(this.home, ".claviger", "etc");
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(path.join(directory, "claviger.yaml"), CONFIG, { mode: 0o600 });
    await this.start([...NODE, "serve"], /listens on https:/);
  }

  /** Starts its server by this command, with what is there, and settles when it says this. */
  async start(command: readonly string[], says: RegExp): Promise<void> {
    const options = { env: this.#environment(), cwd: this.home };
    this.#server = startProgram(...inside(this.#place, command), options);
    await this.#server.hears(says);
  }

  /** Everything its server has said since it was started. */
  logged(): string {
    return this.#server?.said() ?? "";
  }

  /** Ends its server at once, without a word to anybody. */
  async kill(): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    this.#server = undefined;
  }

  /** `claviger WORDS` on this machine, and what it says; `input` is its standard input. */
  async claviger(words: readonly string[], input = ""): Promise<ProgramRun> {
    return await this.run([...NODE, ...words], input);
  }

  async run(command: readonly string[], input = ""): Promise<ProgramRun> {
    const limited = ["timeout", "--signal=KILL", String(COMMAND_DEADLINE_S), ...command];
    const options = { stdin: input, env: this.#environment(), cwd: this.home };
    return await runProgram(...inside(this.#place, limited), options);
  }

  /** A request over its control socket, which no network is needed for. */
  async ask(call: Call): Promise<Answer> {
    return await send({ socketPath: path.join(this.home, ".claviger", "run", "control.sock") }, call);
  }

  /** The text of a file below its configuration directory. */
  file(name: string): string {
    return readFileSync(path.join(this.home, ".claviger", "etc", name), "utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #environment(): NodeJS.ProcessEnv {
    const compiled = process.env.NODE_COMPILE_CACHE;
    return {
      PATH: `${path.join(this.home, "bin")}:${process.env.PATH}`,
      HOME: this.home,
      ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled }),
      ...this.environment,
    };
  }
}
