import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import * as z from "zod";
import type { Expected } from "./beginnings.ts";
import { bundleDriver } from "./bundled.ts";
import { afterCut, type Cut, scenarioOf } from "./scenarios.ts";
import { type Fault, listSteps, runWithFault, type Step, type Traced } from "./trace.ts";
import { expectWhole } from "./whole.ts";

const said = z.object({
  done: z.boolean(),
  error: z.string().optional(),
  secrets: z.array(z.tuple([z.string(), z.string()])).nullable(),
});

/** Of a store that is closed; none where there is no store. */
function sealedValues(file: string): Uint8Array[] {
  if (!existsSync(file)) return [];
  using database = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  const rows = database.prepare(
    "SELECT sealed FROM credential UNION ALL SELECT sealed FROM named_credential",
  );
  return rows.all().flatMap(({ sealed }) => (sealed instanceof Uint8Array ? [sealed] : []));
}

/** The first step behind what a cut is behind. */
function stepAfter(steps: readonly Step[], cut: Cut): Step {
  const at = "renamed" in cut ? renameOf(steps, cut.renamed) : commitsIn(steps)[cut.commits - 1];
  const step = at === undefined ? undefined : steps[at + 1];
  if (step === undefined) throw new Error(`there is no step behind ${JSON.stringify(cut)}`);
  return step;
}

function renameOf(steps: readonly Step[], from: string): number | undefined {
  const at = steps.findIndex(({ call, path: place }) => call.startsWith("rename") && place === from);
  return at === -1 ? undefined : at;
}

/** Where commits end: with the log on the disk. The head of the log is one write, what is committed is more. */
function commitsIn(steps: readonly Step[]): number[] {
  const isWal = (step: Step | undefined, call: string) =>
    step?.call === call && step.path === "db/data.sqlite-wal";
  return steps.flatMap((step, at) => {
    const [before, one] = [steps[at - 1], steps[at - 2]];
    return isWal(step, "fsync") && isWal(before, "pwrite64") && isWal(one, "pwrite64") ? [at] : [];
  });
}

/** Its last line. */
function answerIn(stdout: string): z.infer<typeof said> {
  return said.parse(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
}

/** A scenario at its beginning, to be run again and again on copies of the same directory. */
export class Stage implements Disposable {
  readonly #name: string;
  readonly #root = mkdtempSync(path.join(tmpdir(), "claviger-crash-"));
  #expected: Expected | undefined;
  #sealed: readonly Uint8Array[] = [];
  #driver: URL | undefined;
  #copies = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** Brings the directory to where the scenario begins, and gives the steps of an unharmed run. */
  async prepare(): Promise<Step[]> {
    this.#driver = await bundleDriver(path.join(this.#root, "program"));
    const { prepare } = scenarioOf(this.#name);
    if (typeof prepare === "function") {
      this.#expected = await prepare(this.#template);
      this.#sealed = sealedValues(path.join(this.#template, "db", "data.sqlite"));
    } else {
      this.#expected = await this.#leave(prepare);
    }
    const { steps, stdout } = await listSteps(this.#drive(this.#copy()));
    expect(answerIn(stdout).error).toBe(undefined);
    return steps;
  }

  /** Strikes one step of a run of its own, and expects everything of what is left. False when the step did not come. */
  async strike(step: Step, fault: Fault): Promise<boolean> {
    const dataDir = this.#copy();
    const run = await runWithFault(this.#drive(dataDir), step, fault);
    const where = `${fault} at ${step.call} ${step.ordinal} of ${step.path}`;
    const killed = run.hit && fault === "kill";
    expect(run.status, `${where} ended ${run.stderr}`).toBe(killed ? "SIGKILL" : 0);
    const answer = killed ? undefined : answerIn(run.stdout);
    try {
      await expectWhole(dataDir, { ...this.#ready(), sealed: this.#sealed }, answer);
    } catch (cause) {
      throw new Error(`${where}: ${cause instanceof Error ? cause.message : ""} ${run.stdout}`, { cause });
    }
    rmSync(dataDir, { recursive: true });
    return run.hit;
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** Has another scenario leave the directory where this one begins. */
  async #leave(cut: Cut): Promise<Expected> {
    using other = new Stage(cut.scenario);
    const steps = await other.prepare();
    const dataDir = other.#copy();
    await runWithFault(other.#drive(dataDir), stepAfter(steps, cut), "kill");
    execFileSync("cp", ["-a", dataDir, this.#template]);
    this.#sealed = other.#sealed;
    return afterCut(other.#ready());
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
    if (this.#driver === undefined) throw new Error("the stage was not prepared");
    const args = [this.#name, dataDir, JSON.stringify(this.#ready().input)];
    return { program: this.#driver, args, directory: dataDir };
  }
}
