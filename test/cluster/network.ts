import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { requiredTool } from "#test/system/required-tool.ts";
import { runProgram } from "#test/system/run-program.ts";
import { type RunningProgram, startProgram } from "#test/system/running-program.ts";
import { Machine } from "./network-machine.ts";
import { bound, inside, type Place } from "./network-place.ts";

/** The IPv4 network of the machines, unless another is asked for, and the IPv6 one. */
const PREFIX4 = "10.77.0";
const PREFIX6 = "fd77:";
/** What an address of the first machine ends with. */
const FIRST_NUMBER = 20;
/** The bridges between which machines are moved; all are on the first. */
const HALVES = ["whole", "half"] as const;
/** A machine outlives no test: this is for one whose test cannot take it away. */
const LONGEST_LIFE_S = 1800;

/**
 * Machines that reach each other over a switch and nothing else: each has a network and a host name of its own, in
 * namespaces of the kernel (veth pairs to a bridge), and its own data directory. Needs root and iproute2.
 */
export class Network implements AsyncDisposable {
  readonly directory = mkdtempSync(path.join(tmpdir(), "claviger-network-"));
  readonly #prefix4: string;
  readonly #closing = new AsyncDisposableStack();
  readonly #machines: Machine[] = [];
  #switch: Place = { name: "", pid: 0 };

  private constructor(prefix4: string) {
    this.#prefix4 = prefix4;
  }

  /**
   * Makes the machines, none of which serves yet. `names` are their host names; their addresses end with 20, 21 and so
   * on, of `prefix4` and of fd77::/64.
   */
  static async make(names: readonly string[], prefix4 = PREFIX4): Promise<Network> {
    const network = new Network(prefix4);
    try {
      await network.#open();
      for (const name of names) await network.add(name);
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  get machines(): readonly Machine[] {
    return this.#machines;
  }

  /** The machine of this host name. */
  at(name: string): Machine {
    const found = this.#machines.find((machine) => machine.name === name);
    if (found === undefined) throw new Error(`there is no machine ${name}`);
    return found;
  }

  /** One more machine, plugged in. */
  async add(name: string): Promise<Machine> {
    const place = await this.#hold(name);
    const number = FIRST_NUMBER + this.#machines.length;
    const port = `port${number}`;
    await this.#ip(`link add ${port} type veth peer name eth0 netns ${place.pid}`);
    await this.#ip(`link set ${port} master ${HALVES[0]} up`);
    const [address4, address6] = [`${this.#prefix4}.${number}`, `${PREFIX6}:${number}`];
    for (const step of [
      "link set lo up",
      `addr add ${address4}/24 dev eth0`,
      `-6 addr add ${address6}/64 dev eth0 nodad`,
      "link set eth0 up",
    ])
      await ip(place, step);
    const home = path.join(this.directory, name);
    const machine = this.#closing.use(new Machine({ ...place, home, address4, address6, port }));
    this.#machines.push(machine);
    return machine;
  }

  /** Pulls a machine's cable; `restore` plugs it in. */
  async cut(machine: Machine): Promise<void> {
    await this.#ip(`link set ${machine.port} down`);
  }

  async restore(machine: Machine): Promise<void> {
    await this.#ip(`link set ${machine.port} up`);
  }

  /** Leaves these machines able to reach each other and none of the others; `heal` makes all one again. */
  async partition(...machines: readonly Machine[]): Promise<void> {
    for (const { port } of machines) await this.#ip(`link set ${port} master ${HALVES[1]}`);
  }

  async heal(): Promise<void> {
    for (const { port } of this.#machines) await this.#ip(`link set ${port} master ${HALVES[0]}`);
  }

  /** Writes what passes the switch into `file` from when this settles; more is in it the later one looks. */
  async capture(file: string): Promise<RunningProgram> {
    const command = [requiredTool("tshark"), "-q", "-i", HALVES[0], "-w", file, "-a", "duration:300"];
    const capture = this.#closing.use(startProgram(...inside(this.#switch, command)));
    await capture.hears(/File: /);
    return capture;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // With the last process of a namespace its links go.
    await this.#closing.disposeAsync();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #open(): Promise<void> {
    this.#switch = await this.#hold("switch");
    for (const bridge of HALVES) {
      await this.#ip(`link add ${bridge} type bridge forward_delay 0`);
      await this.#ip(`link set ${bridge} up`);
    }
  }

  async #hold(name: string): Promise<Place> {
    const script = `hostname ${name} && echo held && exec sleep ${LONGEST_LIFE_S}`;
    const [file, args] = bound(["unshare", "--net", "--uts", "--", "sh", "-c", script]);
    const holder = this.#closing.use(startProgram(file, args));
    await holder.hears(/^held$/m);
    return { name, pid: holder.pid };
  }

  async #ip(words: string): Promise<void> {
    await ip(this.#switch, words);
  }
}

async function ip(place: Place, words: string): Promise<void> {
  const run = await runProgram(...inside(place, [requiredTool("ip"), ...words.split(" ")]));
  if (run.status !== 0) throw new Error(`${place.name}: ip ${words}: ${run.stderr}`);
}
