import path from "node:path";
import { performance } from "node:perf_hooks";
import { expect, test, vi } from "vitest";
import { recordKeys, scratch, tamper } from "../audit/audited-server.ts";
import { writeChain } from "../audit/written-chain.ts";
import { Program, serve } from "../start/process.ts";

vi.setConfig({ testTimeout: 300_000 });

const ROWS = 1_000_000;

test("[W1] a million records are verified off line and beside a running server, and one changed byte is found", async () => {
  using place = scratch();
  const dataDir = path.join(place.root, "data");
  await recordKeys(dataDir, []);
  await writeChain(dataDir, ROWS);
  const verify = async () => {
    const args = ["audit", "verify", "--json", "--data-dir", dataDir];
    await using program = new Program(args, {}, { deadlineMs: 120_000 });
    return await program.ended;
  };
  const offline = await verify();
  expect(JSON.parse(offline.stdout)).toMatchObject({
    whole: true,
    rows: ROWS,
    checkpoints: 1001,
    anchored: ROWS,
  });
  {
    await using server = await serve(dataDir);
    const [report, answers] = await Promise.all([verify(), askWhile(server.url)]);
    expect(JSON.parse(report.stdout)).toMatchObject({ whole: true, rows: ROWS });
    expect(answers.failed).toBe(0);
    expect(answers.asked).toBeGreaterThan(0);
    expect((await server.kill("SIGTERM")).status).toBe(0);
  }
  tamper(dataDir, (store) => store.exec("UPDATE audit SET count = count + 1 WHERE seq = 654321"));
  const changed = await verify();
  expect(changed.status).toBe(1);
  expect(JSON.parse(changed.stdout).findings).toMatchObject([
    { kind: "changed", from: 654_321, to: 654_321 },
  ]);
});

/** Asks the server again and again for two seconds. */
async function askWhile(url: string): Promise<{ asked: number; failed: number }> {
  const until = performance.now() + 2000;
  let [asked, failed] = [0, 0];
  while (performance.now() < until) {
    const answer = await fetch(`${url}/health`);
    await answer.arrayBuffer();
    asked += 1;
    if (answer.status !== 200) failed += 1;
  }
  return { asked, failed };
}
