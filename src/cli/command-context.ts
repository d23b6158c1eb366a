import type { Environment } from "#platform/config/environment.ts";
import type { Output } from "./output.ts";
import type { ServerFlags } from "./server-flags.ts";

/** What every command works with. */
export interface CommandContext {
  readonly env: Environment;
  readonly homeDir: string;
  /** Filled while the command line is read. */
  readonly server: ServerFlags;
  readonly output: () => Output;
  readonly setExit: (code: number) => void;
}
