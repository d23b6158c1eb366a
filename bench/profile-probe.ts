/*
 * Imported into the server by `bench --profile`: SIGUSR2 begins a profile, the next one writes it to the file that the
 * query of this module's URL names.
 */
import { renameSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";

const file = new URL(import.meta.url).searchParams.get("file") ?? "";
const session = new Session();
session.connect();
await session.post("Profiler.enable");
process.once("SIGUSR2", () => {
  void session.post("Profiler.start");
  process.once("SIGUSR2", () => void finish());
});

async function finish(): Promise<void> {
  const { profile } = await session.post("Profiler.stop");
  // Renamed, so that it is there only as a whole.
  writeFileSync(`${file}.part`, JSON.stringify(profile));
  renameSync(`${file}.part`, file);
}
