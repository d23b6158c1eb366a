import type { OpenedBackup } from "#vault/backup/index.ts";

type Facts = Omit<OpenedBackup["header"], "file_key">;
type Restored = Awaited<ReturnType<OpenedBackup["restore"]>>;

/** What a checked backup is. */
export function describeRehearsal(facts: Facts, files: readonly string[]): string {
  return [
    "The backup is whole, and this program can restore it. Nothing was changed.",
    `made:       ${facts.created} by Claviger ${facts.server_version}, store version ${facts.store_version}`,
    `node:       ${facts.node_id}`,
    `server key: ${keyWords(facts)}`,
    `files:      ${files.join(", ")}`,
  ].join("\n");
}

/** What was done, and what is to be done next. */
export function describeRestored(dataDir: string, facts: Facts, { aside, config }: Restored): string {
  const locked = facts.server_key !== "uninitialized";
  return [
    `The backup of ${facts.created} is in ${dataDir}.`,
    ...(aside === undefined
      ? []
      : [`What was there is in ${dataDir}/${aside}; remove it when it is not needed.`]),
    ...(config === undefined
      ? []
      : [`Its configuration is in ${dataDir}/${config}; put it where it belongs.`]),
    locked
      ? `Start the server and unlock it with the server key of that day (${facts.server_key}); then clients' keys work.`
      : "Start the server; it is not locked.",
  ].join("\n");
}

function keyWords({ server_key: key }: Facts): string {
  return key === "uninitialized" ? "none was set" : key;
}
