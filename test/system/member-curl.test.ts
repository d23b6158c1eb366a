import { mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { credentialsOf } from "../cluster/cluster-files.ts";
import { requiredTool } from "./required-tool.ts";
import { runProgram } from "./run-program.ts";

test("[C6] [C2] after init curl with the file as it is opens the nodes and the events, over TLS too, and after a restart", {
  timeout: 120_000,
}, async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), "claviger-member-"));
  const dataDir = directory.path;
  const yaml = `resources:
  desk: { resource_type: HttpServer, listen_addr: "127.0.0.1:0", auth: [keys, cluster] }
  lan: { resource_type: HttpServer, listen_addr: "127.0.0.1:0", tls: auto, auth: [cluster] }
`;
  const curl = requiredTool("curl");
  const asked = async (url: string, options: string) => {
    const file = join(credentialsOf(dataDir), "pin_derived_key");
    const certificate = join(dataDir, "etc", "certs", "claviger.crt");
    const line = `"$0" -sS -m 10 -o /dev/null -w '%{http_code} %{content_type}' --cacert '${certificate}' ${options} "$1"`;
    const { stdout } = await runProgram("sh", ["-c", line.replaceAll("FILE", file), curl, url]);
    return stdout;
  };
  const bearer = '-H "Authorization: Bearer $(cat FILE)"';
  // The events go on until curl has had its time.
  const events = `${bearer} -m 2`;
  const judge = async (urls: readonly string[]) => {
    for (const url of urls) {
      for (const path of ["/api/nodes", "/api/v1/nodes"])
        expect(await asked(`${url}${path}`, bearer)).toMatch(/^200 application\/json/);
      expect(await asked(`${url}/sse`, events)).toBe("200 text/event-stream");
      for (const other of ["", '-u "member:$(cat FILE)"', '-H "X-Api-Key: $(cat FILE)"', `${bearer}x`])
        expect(await asked(`${url}/api/nodes`, other), other).toMatch(/^401 /);
    }
  };
  {
    await using claviger = await startClaviger({ dataDir, yaml, listen: [] });
    const body = { pin: "8362057149" };
    const begun = await claviger.control({ method: "POST", path: "/api/v1/cluster/init", body });
    expect(begun.status, begun.text).toBe(201);
    await judge(claviger.app.urls);
  }
  await using again = await startClaviger({ dataDir, yaml, listen: [] });
  await judge(again.app.urls);
});
