import type { Command } from "commander";
import { loadConfig } from "#platform/config/load.ts";
import type { CommandContext } from "../command-context.ts";

interface CheckFlags {
  readonly dataDir?: string;
  readonly configDir?: string;
  readonly explain?: boolean;
}

/** `claviger config check [FILE]`: every problem as `FILE:LINE:COLUMN: text`, exit status 78; `--explain` says what won. */
export function configCommands(program: Command, context: CommandContext): void {
  const group = program.command("config").description("the configuration file");
  group
    .command("check [file]")
    .description("report every problem of the configuration at once")
    .option("--data-dir <dir>", "the server's data directory")
    .option("--config-dir <dir>", "the configuration directory")
    .option("--explain", "show each setting and what set it")
    .option("--json", "print JSON")
    .action((file: string | undefined, flags: CheckFlags) => {
      const { explain, ...places } = flags;
      const config = loadConfig({
        flags: { ...places, ...(file === undefined ? {} : { config: file }) },
        env: context.env,
        homeDir: context.homeDir,
      });
      const output = context.output();
      if (explain !== true)
        return output.result(
          { ok: true, file: config.configFile ?? null },
          () => `${config.configFile ?? "no configuration file"}: ok`,
        );
      const origins = new Map<string, string>(config.origins);
      const rows = Object.entries(config.settings).map(([setting, value]) => ({
        setting,
        value: String(value),
        from: origins.get(setting) ?? "default",
      }));
      output.table(["setting", "value", "from"], rows);
    });
}
