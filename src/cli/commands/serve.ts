import type { Command } from "commander";
import { startApp } from "#app";
import { loadConfig } from "#platform/config/load.ts";
import type { CommandContext } from "../program.ts";

interface ServeFlags {
  readonly dataDir?: string;
  readonly config?: string;
  readonly configDir?: string;
  readonly listen?: string[];
}

/** `claviger serve`: runs the server until SIGINT or SIGTERM, then lets running answers end within the drain timeout. */
export function serveCommand(program: Command, context: CommandContext): void {
  program
    .command("serve")
    .description("run the server")
    .option("--data-dir <dir>", "where the server keeps its data (default: DATA_DIR or ~/.claviger)")
    .option(
      "--config <file>",
      "the configuration file (default: claviger.yaml of the configuration directory)",
    )
    .option("--config-dir <dir>", "the configuration directory")
    .option("--listen <address...>", "listen here instead: 127.0.0.1:8441, [::1]:8441")
    .action(async (flags: ServeFlags) => {
      const config = loadConfig({ flags, env: context.env, homeDir: context.homeDir });
      const app = await startApp(config, { readableLog: process.stdout.isTTY === true });
      context.output().note(greeting(app.urls, app.fresh));
      await new Promise<void>((resolve) => {
        process.once("SIGINT", () => resolve());
        process.once("SIGTERM", () => resolve());
      });
      await app.close();
    });
}

function greeting(urls: readonly string[], fresh: boolean): string {
  const [first] = urls;
  const lines = [`Claviger listens on ${urls.join(" and ")}`];
  if (fresh) {
    lines.push(
      "",
      "Next, in another terminal:",
      "  bin/claviger provider add openai --kind openai        (asks for the provider's key)",
      "  bin/claviger api-key create my-app                    (prints a key for your program, once)",
      `Then point the program at ${first ?? ""}/v1 with that key.`,
    );
  }
  return lines.join("\n");
}
