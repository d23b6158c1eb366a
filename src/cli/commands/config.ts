import type { Command } from "commander";
import { loadConfig } from "#platform/config/load.ts";
import type { CommandContext } from "../command-context.ts";
import { initConfig } from "./config-init.ts";
import { listListeners, showListener } from "./config-listeners.ts";
import {
  describeApi,
  listIdentities,
  listPermissionSets,
  reloadConfig,
  showSettings,
} from "./config-running.ts";
import { setInConfig } from "./config-set.ts";
import { type ListFlags, withListFlags } from "./list-flags.ts";
import type { LocalFlags } from "./local-server.ts";

interface Places {
  readonly dataDir?: string;
  readonly configDir?: string;
}

/** `claviger config check [FILE] | schema | init | set | reload | show | identities | permission-sets | listeners | openapi`. */
export function configCommands(program: Command, context: CommandContext): void {
  const group = program.command("config").description("the configuration file");
  const placed = (command: Command) =>
    command
      .option("--data-dir <dir>", "the server's data directory")
      .option("--config-dir <dir>", "the configuration directory");
  placed(group.command("check [file]").description("report every problem of the configuration at once"))
    .option("--explain", "show each setting and resource, and where it is from")
    .option("--json", "print JSON")
    .action((file: string | undefined, flags: Places & { explain?: boolean }) => check(context, file, flags));
  group
    .command("schema")
    .description("print the JSON Schema of claviger.yaml, for completion in an editor")
    .option("--json", "print it on one line")
    .action(async () => {
      const { configSchema } = await import("../../app/declared/json-schema.ts");
      const schema = configSchema();
      context.output().result(schema, () => JSON.stringify(schema, null, 2));
    });
  placed(
    group.command("init").description("write a claviger.yaml to begin with, its schema and a .gitignore"),
  )
    .option("--json", "print JSON")
    .action((flags: Places) => initConfig(context, flags));
  placed(
    group
      .command("set <name> <value>")
      .description(
        "set a setting in claviger.yaml (settings.log_level warn); the rest of the file stays as it is",
      ),
  )
    .option("--json", "print JSON")
    .action((name: string, value: string, flags: Places) =>
      setInConfig(context, { name, text: value }, flags),
    );
  const running = (command: Command) =>
    command.option("--data-dir <dir>", "the server's data directory").option("--json", "print JSON");
  running(
    group
      .command("reload")
      .description("have the server read its configuration file anew and put it in force as a whole"),
  ).action((flags: LocalFlags) => reloadConfig(context, flags));
  running(
    group.command("show").description("show the settings the server has in force, and where each is from"),
  ).action((flags: LocalFlags) => showSettings(context, flags));
  const identities = running(
    group
      .command("identities")
      .description("list the identities the server has from its file, and when each was last used"),
  );
  withListFlags(identities, { columns: ["name", "last_used_at", "expires_at"] }).action((flags: ListFlags) =>
    listIdentities(context, flags),
  );
  const sets = running(
    group
      .command("permission-sets")
      .description(
        "list the permission sets the server has, its own and those of its file, and what each allows",
      ),
  );
  withListFlags(sets, { columns: ["source", "name"] }).action((flags: ListFlags) =>
    listPermissionSets(context, flags),
  );
  running(
    group
      .command("listeners [name]")
      .description("list where the server listens, and who enters there; with a name, all of that one"),
  ).action((name: string | undefined, flags: LocalFlags) =>
    name === undefined ? listListeners(context, flags) : showListener(context, name, flags),
  );
  running(
    group
      .command("openapi")
      .description("print what the server's API is (OpenAPI 3.1), for programs that read it"),
  ).action((flags: LocalFlags) => describeApi(context, flags));
}

/** Every problem as `FILE:LINE:COLUMN: text`, exit status 78; `--explain` says what won. */
async function check(
  context: CommandContext,
  file: string | undefined,
  flags: Places & { explain?: boolean },
): Promise<void> {
  const { explain, ...places } = flags;
  // Only here: the kinds of resource belong to the rooms of the server, which no other command loads.
  const { readDeclared } = await import("../../app/declared/declared.ts");
  const config = loadConfig({
    flags: { ...places, ...(file === undefined ? {} : { config: file }) },
    env: context.env,
    homeDir: context.homeDir,
    resources: readDeclared,
  });
  const output = context.output();
  if (explain !== true)
    return output.result(
      { ok: true, file: config.configFile ?? null },
      () => `${config.configFile ?? "no configuration file"}: ok`,
    );
  const origins = new Map<string, string>(config.origins);
  const settings = Object.entries(config.settings).map(([setting, value]) => ({
    setting,
    value: String(value),
    from: origins.get(setting) ?? "default",
  }));
  const resources = [...config.resources.types].map(([name, type]) => ({
    setting: `resources.${name}`,
    value: type,
    from: "file",
  }));
  const isOwnListener = config.resources.httpServers.length === 0;
  const listener = { setting: "resources.local", value: "HttpServer", from: "default" };
  output.table(
    ["setting", "value", "from"],
    [...settings, ...resources, ...(isOwnListener ? [listener] : [])],
  );
}
