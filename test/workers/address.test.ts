import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { startClaviger } from "../claviger.ts";
import { claviger, Program, Served, scratch, timed } from "../start/process.ts";
import { holdConnections } from "./held-connections.ts";

vi.setConfig({ testTimeout: 60_000 });

const argsOf = (dataDir: string, port: number, workers: number) => [
  "serve",
  "--data-dir",
  dataDir,
  "--listen",
  `127.0.0.1:${port}`,
  "--workers",
  String(workers),
];

async function start(dataDir: string, port: number, workers: number): Promise<Served> {
  const served = new Served(argsOf(dataDir, port, workers), {}, { deadlineMs: 50_000 });
  await served.says(/listens on/);
  return served;
}

test.each([
  [1, 2],
  [2, 1],
  [2, 2],
])("[N9] on the address of a server with %i threads one with %i is refused within 2 s with the pid; kill -9 frees it", async (first, second) => {
  using place = scratch();
  const port = await freePort();
  await using server = await start(join(place.root, "first"), port, first);
  const refused = await timed(argsOf(join(place.root, "second"), port, second), 2000);
  expect(refused.quickestMs).toBeLessThan(2000);
  for (const { status, stderr } of refused.runs) {
    expect(status).toBe(75);
    expect(stderr).toContain(`process ${server.child.pid}.`);
  }
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  await server.kill("SIGKILL");
  await expect(answers(port)).resolves.toBe(false);
  await using next = await start(join(place.root, "second"), port, second);
  expect((await next.kill("SIGTERM")).status).toBe(0);
});

test("[N9] of two servers with threads that start on one address at once exactly one is up", async () => {
  using place = scratch();
  const port = await freePort();
  const programs = ["one", "two"].map((name) => new Program(argsOf(join(place.root, name), port, 2), {}));
  const outcomes = await Promise.all(
    programs.map((program) =>
      Promise.race([program.says(/listens on/).then(() => "up"), program.ended]).catch(() => program.ended),
    ),
  );
  const refused = outcomes.filter((outcome) => outcome !== "up");
  expect(refused).toEqual([
    expect.objectContaining({ status: 75, stderr: expect.stringContaining("in use") }),
  ]);
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  for (const program of programs) await program.kill("SIGKILL");
  expect(await answers(port)).toBe(false);
});

test("[N9] an address that another program is ready to share is not shared with it", async () => {
  using place = scratch();
  const other = createServer();
  await once(other.listen({ host: "127.0.0.1", port: 0, reusePort: true }), "listening");
  const address = other.address();
  const port = typeof address === "object" ? address?.port : 0;
  const started = startClaviger({ dataDir: place.path, workers: 2, listen: [`127.0.0.1:${port}`] });
  await expect(started).rejects.toThrow(`in use by process ${process.pid}.`);
  await new Promise((resolve) => other.close(resolve));
});

test("a port of 0 is one port for all threads, and every address has its own", async () => {
  await using server = await startClaviger({ workers: 2, listen: ["127.0.0.1:0", "127.0.0.2:0"] });
  expect(server.app.urls).toHaveLength(2);
  for (const url of server.app.urls) {
    using held = await holdConnections({ url, control: server.control }, 2);
    const answers = held.byThread.map((one) => one.ask({ path: "/api/v1/info" }));
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
  }
});

test.each([
  ["0", 78],
  ["1.5", 78],
  ["65", 78],
  ["two", 78],
])("--workers %s is refused with a line that says what it takes", async (workers, status) => {
  using place = scratch();
  const args = ["serve", "--data-dir", place.path, "--listen", "127.0.0.1:0", "--workers", workers];
  const refused = await claviger(args);
  expect(refused.status).toBe(status);
  expect(refused.stderr).toMatch(/workers.*a whole number of threads from 1 to 64/);
});

test("a wrong number of workers in claviger.yaml is refused in the same way", async () => {
  using place = scratch();
  const file = join(place.root, "claviger.yaml");
  writeFileSync(file, "settings:\n  workers: 65\n");
  const refused = await claviger(["serve", "--data-dir", place.path, "--config", file]);
  expect(refused.status).toBe(78);
  expect(refused.stderr).toMatch(/workers.*a whole number of threads from 1 to 64/s);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}
