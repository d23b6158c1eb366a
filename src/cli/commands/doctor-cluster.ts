import { statSync } from "node:fs";
import { join } from "node:path";
import type { LoadedConfig } from "#platform/config/load.ts";
import { quoteForShell } from "#platform/config/shell-quote.ts";

/** What closes the cluster's routes, and the line that opens them. */
export interface ClusterFault {
  readonly problem: string;
  readonly repair: string;
}

/** What is wrong with the cluster's credentials; undefined where all is right or none are there. */
export async function clusterFault({
  dataDir,
  configDir,
  configDirRule,
}: Pick<LoadedConfig, "dataDir" | "configDir" | "configDirRule">): Promise<ClusterFault | undefined> {
  const running = process.getuid?.() ?? 0;
  const owner = running === 0 ? (statSync(dataDir, { throwIfNoEntry: false })?.uid ?? running) : running;
  const { readCredentials } = await import("#services/cluster/index.ts");
  const found = readCredentials(join(configDir, "credentials"), owner);
  if (found.status !== "closed") return undefined;
  const { reason: problem, repair } = found;
  if (!repair.startsWith("claviger ")) return { problem, repair };
  const named = configDirRule === "flag" ? ` --config-dir ${quoteForShell(configDir)}` : "";
  return { problem, repair: `${repair} --data-dir ${quoteForShell(dataDir)}${named}` };
}
