import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { type RunningProgram, startProgram } from "../system/running-program.ts";
import { scratch } from "./process.ts";

vi.setConfig({ testTimeout: 180_000 });

const CHECKOUT = path.resolve(import.meta.dirname, "../..");
const COPIED = [
  ...["src", "bootstrap.cjs", "runtime/node-flags.json"],
  ...["package.json", "package-lock.json", "tools/build-web.ts"],
  ...["web/package.json", "web/package-lock.json", "web/pages.json", "web/index.html"],
];
/**
 * Stands where vite is: notes each build, fails where the source says so, and ends only when the start that runs it has
 * shown twice that it lives, as the others want to see of a build that takes long.
 */
const BUILDER = `
import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
const draft = process.argv[process.argv.indexOf("--outDir") + 1];
const source = readFileSync("index.html", "utf8");
if (source.includes("BROKEN")) {
  console.error("index.html: it is broken");
  process.exit(1);
}
mkdirSync(draft + "/assets", { recursive: true });
const beatAt = () => statSync("../.cache/bootstrap.lock/beat").mtimeMs;
for (let beats = 0, last = beatAt(), until = Date.now() + 30000; beats < 2; last = beatAt()) {
  await pause(50);
  if (beatAt() !== last) beats += 1;
  if (Date.now() > until) throw new Error("the start that builds shows no life");
}
writeFileSync(draft + "/assets/index-B7x_k2Qd.js", source.repeat(100));
writeFileSync(draft + "/index.html", source);
appendFileSync(process.env.BUILDS, source);
`;

/** A fresh tree with a dashboard of this text, which is built in no time. */
function freshTree(text: string) {
  const { root, [Symbol.dispose]: remove } = scratch();
  const tree = path.join(root, "tree");
  for (const name of COPIED) cpSync(path.join(CHECKOUT, name), path.join(tree, name), { recursive: true });
  symlinkSync(path.join(CHECKOUT, "node_modules"), path.join(tree, "node_modules"));
  const parts = path.join(root, "parts");
  mkdirSync(path.join(parts, "vite/bin"), { recursive: true });
  writeFileSync(path.join(parts, "vite/package.json"), '{"type":"module"}');
  writeFileSync(path.join(parts, "vite/bin/vite.js"), BUILDER);
  symlinkSync(parts, path.join(tree, "web/node_modules"));
  const builds = path.join(root, "builds");
  writeFileSync(builds, "");
  const page = path.join(tree, "web/index.html");
  chmodSync(page, 0o644);
  const write = (next: string) => writeFileSync(page, `${next}\n`);
  write(text);
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = {
    PATH,
    HOME: "/nonexistent",
    BUILDS: builds,
    ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }),
  };
  return {
    write,
    isBuilding: () => existsSync(path.join(tree, "web/dist.draft")),
    builds: () => readFileSync(builds, "utf8").trimEnd().split("\n"),
    /** `npm start`, without npm. */
    start: (name: string) => {
      const args = ["bootstrap.cjs", "serve", "--data-dir", path.join(root, name), "--listen", "127.0.0.1:0"];
      return startProgram(process.execPath, args, { cwd: tree, env });
    },
    [Symbol.dispose]: remove,
  };
}

/** What a browser is shown, and whether the rest is served, as soon as the server listens. */
async function shownBy(server: RunningProgram) {
  const [, url = ""] = await server.hears(/listens on (http:\/\/\S+)/);
  const page = await fetch(url, { headers: { accept: "text/html" } });
  const health = await fetch(`${url}/health`);
  return { status: page.status, text: await page.text(), health: health.status };
}

test("[D1] a start whose dashboard cannot be built says so and why, serves all the rest, and ends with status 0", async () => {
  using tree = freshTree("BROKEN");
  await using server = tree.start("data");
  expect(await shownBy(server)).toMatchObject({ status: 404, health: 200 });
  expect(server.said()).toContain("index.html: it is broken\n");
  expect(server.said()).toMatch(/the dashboard cannot be built, the rest is started \(.*failed\)/);
  expect(await server.end("SIGTERM")).toBe(0);
});

test("[D1] two starts at the same moment from one fresh tree build it once, and both serve it whole", async () => {
  using tree = freshTree("<p>first</p>");
  await using one = tree.start("one");
  await using other = tree.start("other");
  const shown = await Promise.all([shownBy(one), shownBy(other)]);
  for (const each of shown) expect(each).toMatchObject({ status: 200, text: "<p>first</p>\n", health: 200 });
  expect(tree.builds()).toEqual(["<p>first</p>"]);
});

test("[D1] a source that changed is built anew at the next start, an unchanged one is not; one that breaks leaves the last build", async () => {
  using tree = freshTree("<p>first</p>");
  const startedWith = async (name: string) => {
    await using server = tree.start(name);
    const shown = await shownBy(server);
    expect(await server.end("SIGTERM")).toBe(0);
    return shown.text;
  };
  expect(await startedWith("data")).toBe("<p>first</p>\n");
  expect(await startedWith("data")).toBe("<p>first</p>\n");
  expect(tree.builds()).toEqual(["<p>first</p>"]);
  tree.write("<p>second</p>");
  expect(await startedWith("data")).toBe("<p>second</p>\n");
  tree.write("BROKEN");
  expect(await startedWith("data")).toBe("<p>second</p>\n");
  expect(tree.builds()).toEqual(["<p>first</p>", "<p>second</p>"]);
});

test("[L1] a signal while the dashboard is built ends the start, with the status of the signal", async () => {
  using tree = freshTree("<p>first</p>");
  await using server = tree.start("data");
  await expect.poll(tree.isBuilding, { timeout: 20_000 }).toBe(true);
  expect(await server.end("SIGTERM")).toBe(143);
  expect(server.said()).not.toContain("listens on");
  expect(tree.builds()).toEqual([""]);
});
