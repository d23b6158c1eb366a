import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "#platform/config/bounded-text.ts";
import { pathExists, resolveDirectories } from "#platform/config/directories.ts";
import { ConfigProblems, type Problem } from "#platform/config/problems.ts";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";

/** `listener` is the one that there is without a file. */
const firstFile = (listener: {
  readonly listen_addr: string;
  readonly auth: readonly string[];
}) => `# The configuration of Claviger; docs/configuration.md describes it. After each change: claviger config check
# yaml-language-server: $schema=claviger.schema.json

settings:
  # Every setting has a default: claviger config check --explain shows them all.
  # log_level: warn

resources:
  # Where Claviger listens, and who may enter there. Without any HttpServer it is this one.
  main:
    resource_type: HttpServer
    listen_addr: ${listener.listen_addr}
    # The word keys stands for those issued at run time, anonymous for programs without one.
    auth: [${listener.auth.join(", ")}]
    # Needed beyond this machine: auto makes a certificate; {cert: /PATH, key: /PATH} names your own.
    # tls: auto

  # What some may do. superadmin, operator, viewer, gateway and member are there without being written.
  # small-models:
  #   resource_type: PermissionSet
  #   allow: [models.read, "gateway.use:openai/*"]
  #   deny: ["gateway.use:*-pro"]

  # Someone with a key of his own: claviger api-key generate prints the key, and the hash that goes here.
  # Name him in the auth of the listener too.
  # build-robot:
  #   resource_type: Identity
  #   credential: { api_key: HASH }
  #   permissions: small-models
`;

const GITIGNORE = `# What must not get into a repository.
/credentials/
/secrets/
/certs/*.key
/certs/*.pfx
/certs/.pfx_password
*.pem
*.key
.env
*.new
`;

/**
 * `claviger config init`: claviger.yaml with its schema and a .gitignore beside it. What is there stays as it is: a
 * claviger.yaml is exit status 73, the others are left alone.
 */
export async function initConfig(
  context: CommandContext,
  flags: { readonly dataDir?: string; readonly configDir?: string },
): Promise<void> {
  const problems: Problem[] = [];
  const { configDir } = resolveDirectories({ flags, env: context.env, homeDir: context.homeDir }, problems);
  if (problems.length > 0) throw new ConfigProblems(problems);
  const { configSchema } = await import("../../app/declared/json-schema.ts");
  const { DEFAULT_HTTP_SERVER } = await import("../../app/declared/http-server.ts");
  const path = join(configDir, "claviger.yaml");
  if (pathExists(path))
    throw new CliError(`${path} is there already; nothing was written`, { exitCode: EXIT.cannotCreate });
  const beside = [
    [".gitignore", GITIGNORE],
    ["claviger.schema.json", `${JSON.stringify(configSchema(), null, 2)}\n`],
  ] as const;
  const written: string[] = [];
  try {
    mkdirSync(configDir, { recursive: true, mode: 0o700 });
    for (const [name, text] of [...beside, ["claviger.yaml", firstFile(DEFAULT_HTTP_SERVER)] as const]) {
      if (pathExists(join(configDir, name))) continue;
      writeFileSync(join(configDir, name), text, { flag: "wx", mode: 0o644 });
      written.push(join(configDir, name));
    }
  } catch (cause) {
    throw new CliError(`${configDir} cannot be written (${systemErrorCode(cause)})`, {
      exitCode: EXIT.cannotCreate,
      cause,
    });
  }
  context.output().result({ written }, () => written.map((file) => `wrote ${file}`).join("\n"));
}
