import { type ProgramOptions, type ProgramRun, runProgram } from "./run-program.ts";
import { type RunningProgram, startProgram } from "./running-program.ts";

/** One machine of two. */
export interface Place {
  /** Its only address, in 10.99.7.0/24. */
  readonly address: string;
  /** The words before a program that is to run here. */
  readonly enter: readonly string[];
  /** Runs Node with these arguments to its end. */
  run(args: readonly string[], options?: ProgramOptions): Promise<ProgramRun>;
  /** Starts Node with these arguments. */
  start(args: readonly string[]): RunningProgram;
  /** Runs a program of the system. Throws with what it said. */
  command(words: readonly string[]): Promise<void>;
  /** So many packets left it by the link so far. */
  sent(): Promise<number>;
}

/**
 * Two networks of their own, one link between them, and nothing else: no way out, no router, no other machine. Needs root
 * and iproute2.
 */
export async function openTwoNetworks(): Promise<AsyncDisposable & { readonly a: Place; readonly b: Place }> {
  await using opened = new AsyncDisposableStack();
  const [holderA, holderB] = [opened.use(holder()), opened.use(holder())];
  await Promise.all([holderA.hears(/held/), holderB.hears(/held/)]);
  const [a, b] = [placeOf(holderA, "10.99.7.1"), placeOf(holderB, "10.99.7.2")];
  const veth = `ip link add link0 type veth peer name link0 netns ${holderB.pid}`;
  await a.command(veth.split(" "));
  for (const place of [a, b])
    for (const line of [
      "ip link set lo up",
      // Nothing is sent but what a program sends.
      "ip link set link0 addrgenmode none",
      "ip link set link0 up",
      `ip addr add ${place.address}/24 dev link0`,
    ])
      await place.command(line.split(" "));
  const running = opened.move();
  return { a, b, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** A program that does nothing, in a network of its own which ends with it. */
function holder(): RunningProgram {
  return startProgram("unshare", ["--net", "--", "sh", "-c", "echo held; exec sleep 1000000"]);
}

function placeOf({ pid }: RunningProgram, address: string): Place {
  const enter = ["nsenter", `--net=/proc/${pid}/ns/net`, "--"];
  const inside = (args: readonly string[]) => [...enter.slice(1), process.execPath, ...args];
  return {
    address,
    enter,
    run: (args, options) => runProgram("nsenter", inside(args), options),
    start: (args) => startProgram("nsenter", inside(args)),
    command: async (words) => {
      const { status, stderr } = await runProgram("nsenter", [...enter.slice(1), ...words]);
      if (status !== 0) throw new Error(`${words.join(" ")}: ${stderr}`);
    },
    sent: async () => {
      const { stdout } = await runProgram("nsenter", [...enter.slice(1), "cat", "/proc/net/dev"]);
      // Eight counts of what came in stand before it.
      return Number(/link0:(?:\s+\d+){9}\s+(\d+)/.exec(stdout)?.[1]);
    },
  };
}
