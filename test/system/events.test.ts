import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { requiredTool } from "./required-tool.ts";
import { startProgram } from "./running-program.ts";

test("[C8] curl -N prints events as they happen, and ends with the lock", { timeout: 60_000 }, async () => {
  await using claviger = await startClaviger();
  const { key } = await claviger.issueKey("operator", ["operator"]);
  await using curl = startProgram(requiredTool("curl"), [
    ...["--silent", "--no-buffer", "--noproxy", "*", "--fail"],
    ...["--header", `authorization: Bearer ${key}`, `${claviger.url}/sse?types=key,seal`],
  ]);
  await curl.hears(/^retry: 2000\nid: \S+\n\n/);
  const { id } = await claviger.issueKey("dev");
  await curl.hears(new RegExp(`\nevent: key.created\ndata: .*"id":"${id}","name":"dev"}\n\n`));
  void claviger.app.seal.close();
  await curl.hears(/\nevent: seal\.locked\ndata: .*\n\n: the server is locked\n\n$/);
  expect(await curl.end()).toBe(0);
});
