import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { SCRIPT, writeDashboard } from "#test/dashboard/fixture.ts";

const HTML = { accept: "text/html" };

test("a worker thread passes its requests on: pages and files come over every connection", async () => {
  using built = writeDashboard();
  await using several = await startClaviger({ dashboardDir: built.directory, workers: 2 });
  for (let round = 0; round < 12; round++) {
    expect((await several.call({ path: "/keys", headers: HTML })).text).toContain("the app");
    expect((await several.call({ path: SCRIPT.path })).text).toBe(SCRIPT.text);
  }
});

test("a server without a built dashboard tells a browser how to build it, and serves the rest", async () => {
  await using bare = await startClaviger();
  const answer = await bare.call({ path: "/", headers: HTML });
  expect(answer).toMatchObject({ status: 404, text: expect.stringContaining("npm run build:web") });
  expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
  expect((await bare.call({ path: "/" })).json).toMatchObject({ code: "not_found" });
  expect((await bare.call({ path: "/health" })).status).toBe(200);
});

test("a damaged build is not served, and the log says what to do", async () => {
  using damaged = writeDashboard({ "pages.json": '["keys"]' });
  await using server = await startClaviger({ dashboardDir: damaged.directory });
  expect((await server.call({ path: "/keys", headers: HTML })).text).toContain("is not built");
  expect(server.logged()).toContain("build it anew with: npm run build:web");
});
