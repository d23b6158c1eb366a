import type { Environment } from "#platform/config/environment.ts";
import type { Output } from "./output.ts";

/** What every command works with. */
export interface CommandContext {
  readonly env: Environment;
  readonly homeDir: string;
  readonly output: () => Output;
  readonly setExit: (code: number) => void;
}
