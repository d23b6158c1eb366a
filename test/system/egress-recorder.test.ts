import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import * as z from "zod";
import { runInNetwork } from "./egress-network.ts";

const ROOT = join(import.meta.dirname, "../..");
const report = z.object({
  status: z.number().nullable(),
  output: z.string(),
  left: z.number(),
  control: z.number(),
});

test("[N7] while the whole suite runs, not one packet leaves this machine, not even to ask for a name", async () => {
  const directory = mkdtempSync(join(tmpdir(), "claviger-recorder-"));
  const resolvConf = join(directory, "resolv.conf");
  // A name server out there: whoever asks for a name is counted.
  writeFileSync(resolvConf, "nameserver 192.0.2.53\n");
  const suite = [process.execPath, join(ROOT, "node_modules/vitest/vitest.mjs"), "run", "--root", ROOT];
  const output = await runInNetwork(
    [fileURLToPath(new URL("./egress-recorder-child.ts", import.meta.url)), ...suite],
    {
      files: { "/etc/resolv.conf": resolvConf },
      env: { HOME: directory, CI: "1" },
    },
  );
  rmSync(directory, { recursive: true, force: true });
  const recorded = report.parse(JSON.parse(output));
  expect(recorded.control).toBe(3);
  expect(recorded.left).toBe(0);
  expect(recorded.status, recorded.output).toBe(0);
}, 900_000);
