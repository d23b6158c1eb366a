import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { Reading } from "./scrape.ts";

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe("/metrics", () => {
  let claviger: TestClaviger;
  let viewer: string;
  let gateway: string;
  beforeAll(async () => {
    claviger = await startClaviger();
    viewer = (await claviger.issueKey("prometheus", ["viewer"])).key;
    gateway = (await claviger.issueKey("app", ["gateway"])).key;
  });
  afterAll(() => claviger[Symbol.asyncDispose]());

  test("[A5] is 401 without a credential, also where local programs may use the gateway without one", async () => {
    const answer = await claviger.call({ path: "/metrics" });
    expect(answer).toMatchObject({ status: 401, json: { code: "invalid_token" } });
    expect(answer.headers["www-authenticate"]).toBe('Bearer realm="claviger", error="invalid_token"');
    expect(answer.text).not.toContain("claviger_");
    expect((await claviger.call({ path: "/v1/models" })).status).toBe(200);
  });

  test("[A5] is 401 for a key nobody issued", async () => {
    const headers = bearer(`${viewer.slice(0, -1)}${viewer.endsWith("A") ? "B" : "A"}`);
    expect(await claviger.call({ path: "/metrics", headers })).toMatchObject({ status: 401 });
  });

  test("[A5] is 403 for a key without metrics.read", async () => {
    const answer = await claviger.call({ path: "/metrics", headers: bearer(gateway) });
    expect(answer).toMatchObject({ status: 403, json: { code: "forbidden" } });
    expect(answer.text).not.toContain("claviger_");
  });

  test("[W3] is Prometheus text for a viewer, and for the control socket", async () => {
    for (const answer of [
      await claviger.call({ path: "/metrics", headers: bearer(viewer) }),
      await claviger.control({ path: "/metrics" }),
    ]) {
      expect(answer.status).toBe(200);
      expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
      expect(new Reading(answer.text).value("claviger_locked")).toBe(0);
    }
  });

  test("[W3] is read by GET and at no other spelling of its path", async () => {
    for (const method of ["HEAD", "POST", "PUT", "DELETE"])
      expect((await claviger.call({ method, path: "/metrics", headers: bearer(viewer) })).status).toBe(404);
    for (const path of ["/metrics/", "//metrics", "/METRICS", "/%6detrics", "/metrics/x"])
      expect((await claviger.call({ path, headers: bearer(viewer) })).status, path).toBe(404);
  });

  test("[A2] takes no credential from its URL", async () => {
    expect((await claviger.call({ path: `/metrics?api_key=${viewer}` })).status).toBe(401);
    const both = { path: `/metrics?api_key=${viewer}`, headers: bearer(viewer) };
    expect(await claviger.call(both)).toMatchObject({ status: 400, json: { code: "credential_in_url" } });
  });
});

describe("/metrics of a locked server", () => {
  let claviger: TestClaviger;
  let viewer: string;
  let gateway: string;
  beforeAll(async () => {
    claviger = await startClaviger();
    viewer = (await claviger.issueKey("prometheus", ["viewer"])).key;
    gateway = (await claviger.issueKey("app", ["gateway"])).key;
    void claviger.app.seal.close();
  });
  afterAll(() => claviger[Symbol.asyncDispose]());

  test("[S4] [W3] works for a viewer and says that it is locked", async () => {
    const answer = await claviger.call({ path: "/metrics", headers: bearer(viewer) });
    expect(answer.status).toBe(200);
    expect(new Reading(answer.text).value("claviger_locked")).toBe(1);
  });

  test("[S4] wants the credentials it always wants", async () => {
    expect((await claviger.call({ path: "/metrics" })).status).toBe(401);
    expect((await claviger.call({ path: "/metrics", headers: bearer(gateway) })).status).toBe(403);
  });

  test.each([
    "/metrics/",
    "//metrics",
    "/./metrics",
    "/metrics/x",
    "/METRICS",
    "/metrics%2F",
    "/metrics;x",
  ])("[S4] %s is locked, though what it resembles is open", async (path) => {
    const answer = await claviger.call({ path, headers: bearer(viewer) });
    expect(answer.status).toBe(503);
    expect(answer.headers["x-claviger-locked"]).toBe("true");
  });

  test("[S4] methods other than GET are locked", async () => {
    for (const method of ["HEAD", "POST"])
      expect((await claviger.call({ method, path: "/metrics", headers: bearer(viewer) })).status).toBe(503);
  });
});
