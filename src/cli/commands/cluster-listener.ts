import { confirm, isCancel } from "@clack/prompts";
import { loadConfig } from "#platform/config/load.ts";
import type { CommandContext } from "../command-context.ts";
import { type ConfigEntry, setInConfigFile } from "./config-edit.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const LAN: ConfigEntry = {
  section: "resources",
  key: "lan",
  value: {
    resource_type: "HttpServer",
    listen_addr: ":8442",
    tls: "auto",
    auth: ["users", "keys", "cluster"],
  },
};

/** Whether what the message asks is to be done. */
export type Agreement = (message: string) => Promise<boolean>;

/** `--yes`, or what is answered at a terminal: nobody agrees where nobody is asked. */
export function agreementOf({ yes }: { readonly yes?: boolean }): Agreement {
  return async (message) => {
    if (yes === true || process.stdin.isTTY !== true) return yes === true;
    const answer = await confirm({ message, output: process.stderr });
    return !isCancel(answer) && answer;
  };
}

/**
 * Writes the listener `lan`, TLS on 8442, into the file where it declares none with TLS, once that was agreed to, and
 * has the running server open it. Gives the file, or undefined where nothing was written. Throws what `setInConfigFile` and
 * `callLocal` throw.
 */
export async function offerListener(
  context: CommandContext,
  flags: LocalFlags & { readonly configDir?: string },
  agrees: Agreement,
): Promise<{ readonly file: string } | undefined> {
  const { dataDir, configDir } = flags;
  const places = {
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(configDir === undefined ? {} : { configDir }),
  };
  const { readDeclared } = await import("../../app/declared/declared.ts");
  const { resources } = loadConfig({
    flags: places,
    env: context.env,
    homeDir: context.homeDir,
    resources: readDeclared,
  });
  const { httpServers } = resources;
  if (httpServers.some(({ tls }) => tls.kind !== "off")) return undefined;
  const words = "No listener speaks TLS, so no other machine reaches this server.";
  const output = context.output();
  if (!(await agrees(`${words} Write one, lan on port 8442, into claviger.yaml?`))) {
    // Who was asked has read it.
    if (process.stdin.isTTY !== true)
      output.note(`${words} With --yes the command writes one into claviger.yaml: lan, port 8442`);
    return undefined;
  }
  const entries = httpServers.length === 0 ? [await defaultListener(), LAN] : [LAN];
  const { path } = await setInConfigFile(context, entries, places);
  // It would take it up by itself, a moment after who is told of it could use it.
  await callLocal(context, flags, { method: "POST", path: "/api/v1/config/reload" });
  return { file: path };
}

/** What listens where the file declares nothing: it would end with the first listener that is declared. */
async function defaultListener(): Promise<ConfigEntry> {
  const { DEFAULT_HTTP_SERVER } = await import("../../app/declared/http-server.ts");
  const value = { resource_type: "HttpServer", ...DEFAULT_HTTP_SERVER };
  return { section: "resources", key: "main", value };
}

/** What is said of the listener that was written, if one was. */
export function listenerLines(listener: { readonly file: string } | undefined): string[] {
  return listener === undefined ? [] : [`wrote the listener lan, port 8442, into ${listener.file}`];
}
