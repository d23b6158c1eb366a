import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect } from "vitest";
import * as z from "zod";
import { type Expected, scenarioOf } from "./scenarios.ts";
import { type Fault, listSteps, runWithFault, type Step, type Traced } from "./trace.ts";
import { expectWhole } from "./whole.ts";

const DRIVER = new URL("./driver.ts", import.meta.url);

const said = z.object({
  done: z.boolean(),
  error: z.string().optional(),
  secrets: z.array(z.tuple([z.string(), z.string()])).nullable(),
});

/** Its last line. */
function answerIn(stdout: string): z.infer<typeof said> {
  return said.parse(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
}

/** A scenario at its beginning, to be run again and again on copies of the same directory. */
export class Stage implements Disposable {
  readonly #name: string;
  readonly #root = mkdtempSync(path.join(tmpdir(), "claviger-crash-"));
  #expected: Expected | undefined;
  #copies = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** Brings the directory to where the scenario begins, and gives the steps of an unharmed run. */
  async prepare(): Promise<Step[]> {
    this.#expected = await scenarioOf(this.#name).prepare(this.#template);
    const { steps, stdout } = await listSteps(this.#drive(this.#copy()));
    expect(answerIn(stdout).error).toBe(undefined);
    return steps;
  }

  /** Strikes one step of a run of its own, and expects everything of what is left. */
  async strike(step: Step, fault: Fault): Promise<void> {
    const dataDir = this.#copy();
    const run = await runWithFault(this.#drive(dataDir), step, fault);
    const where = `${fault} at ${step.call} ${step.ordinal} of ${step.path}`;
    expect(run.hit, `${where} came to pass`).toBe(true);
    expect(run.status, `${where} ended ${run.stderr}`).toBe(fault === "kill" ? "SIGKILL" : 0);
    const answer = fault === "kill" ? undefined : answerIn(run.stdout);
    try {
      await expectWhole(dataDir, this.#ready(), answer);
    } catch (cause) {
      throw new Error(`${where}: ${cause instanceof Error ? cause.message : ""} ${run.stdout}`, { cause });
    }
    rmSync(dataDir, { recursive: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  get #template(): string {
    return path.join(this.#root, "template");
  }

  #ready(): Expected {
    if (this.#expected === undefined) throw new Error("the stage was not prepared");
    return this.#expected;
  }

  #copy(): string {
    const copy = path.join(this.#root, `run-${++this.#copies}`);
    // With the modes of the directories, which are part of what is looked at.
    if (existsSync(this.#template)) execFileSync("cp", ["-a", this.#template, copy]);
    return copy;
  }

  #drive(dataDir: string): Traced {
    const args = [this.#name, dataDir, JSON.stringify(this.#ready().input)];
    return { program: DRIVER, args, directory: dataDir };
  }
}
