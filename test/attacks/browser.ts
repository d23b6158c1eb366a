import { readFileSync } from "node:fs";
import type { Frame, Page } from "playwright-core";
import { vi } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { type Chromium, startChromium } from "#test/system/chromium.ts";
import { startHostileSite } from "#test/system/hostile-site.ts";
import { firstPerson, freshPassword, type Person, person } from "../people/person.ts";
import { worldOf } from "./origins.ts";
import { type Outcome, Tally } from "./outcome.ts";

const SCRIPT = readFileSync(new URL("hostile-script.js", import.meta.url), "utf8");
const MINUTE_MS = 60_000;
const WAIT = { timeout: 30_000, interval: 50 };

/** From where a page attacks: another port is the same site, so that the cookie comes along; another name is not. */
const PLACES = [
  ["a page of another port, in Chromium", "127.0.0.1", false],
  ["a page of another name of this machine, in Chromium", "localhost", false],
  ["a frame without an origin, in Chromium", "127.0.0.1", true],
] as const;

/** What hostile pages come to in a browser whose user is signed in. Throws where they did something. */
export async function tryPages(): Promise<Outcome[]> {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const own = await firstPerson(server);
  await using site = await startHostileSite("http://127.0.0.1:1");
  await using browser = await startChromium();
  const home = await signInAtHome(browser, server, own);
  const outcomes = [];
  for (const [attack, host, framed] of PLACES) {
    const before = await worldOf(server, own);
    const from = statuses(server).length;
    const page = await browser.openPage();
    await page.goto(`http://${host}:${site.port}/`);
    const place = framed ? await frameOf(page) : page;
    await place.evaluate(SCRIPT.replaceAll("PASSWORD", own.password));
    const count = Number(await place.evaluate(`attackSession(${JSON.stringify(server.url)})`));
    const tally = new Tally(attack);
    for (const status of await statusesOf(server, from, count))
      tally.say(attack, status, !status.startsWith("4"));
    await page.close();
    if ((await worldOf(server, own)) !== before) throw new Error(`${attack} changed something`);
    await requireSignedIn(home);
    outcomes.push(tally.outcome);
  }
  clock.advance(MINUTE_MS);
  const refused = await server.control({ path: "/api/v1/audit?outcome=denied&limit=100" });
  for (const action of ["user.login", "user.logout", "keys.manage"])
    if (!refused.text.includes(`"${action}"`))
      throw new Error(`no refusal of ${action} is recorded: ${refused.text}`);
  return outcomes;
}

/** The server's own page: whoever signs in there has the cookie in the browser. */
async function signInAtHome(browser: Chromium, server: TestClaviger, { password }: Person): Promise<Page> {
  const page = await browser.openPage();
  await page.goto(`${server.url}/health`);
  const body = JSON.stringify(JSON.stringify({ password }));
  const status: unknown = await page.evaluate(
    `fetch("/login/password", { method: "POST", body: ${body}, headers: { "content-type": "application/json" } }).then((answer) => answer.status)`,
  );
  if (status !== 200) throw new Error(`not signed in: ${String(status)}`);
  await requireSignedIn(page);
  return page;
}

async function requireSignedIn(page: Page): Promise<void> {
  const status: unknown = await page.evaluate(`fetch("/api/v1/me").then((answer) => answer.status)`);
  if (status !== 200) throw new Error(`the browser is not signed in: ${String(status)}`);
}

async function frameOf(page: Page): Promise<Frame> {
  await page.evaluate(`
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts allow-forms";
    frame.srcdoc = "<!doctype html><body>";
    document.body.append(frame);`);
  return await vi.waitFor(async () => {
    const frame = page.frames().find((each) => each !== page.mainFrame());
    if (frame === undefined || (await frame.evaluate("document.body === null")))
      throw new Error("no frame yet");
    return frame;
  }, WAIT);
}

/** The requests of pages since `from`, as soon as there are so many; each as its status. */
async function statusesOf(server: TestClaviger, from: number, count: number): Promise<string[]> {
  return await vi.waitFor(() => {
    const found = statuses(server).slice(from, from + count);
    if (found.length < count) throw new Error(`${found.length} of ${count} requests came`);
    return found;
  }, WAIT);
}

/** Of each request over TCP that names a page: what it was answered. */
function statuses(server: TestClaviger): string[] {
  const lines = server.logged().split("\n").filter(Boolean);
  return lines
    .map((line): Record<string, unknown> => JSON.parse(line))
    .filter((entry) => entry.msg === "request" && entry.listener === "local")
    .map((entry) => String(entry.status));
}

/** Names that an attacker points at this machine once his page is there. */
const NAMES = ["evil.test", "127.0.0.1.evil.test", "localhost.evil.test"];
const ASKED = [
  ["GET", "/api/v1/me"],
  ["GET", "/api/v1/info"],
  ["GET", "/api/v1/key/status"],
  ["GET", "/api/v1/backup"],
  ["GET", "/health"],
  ["GET", "/v1/models"],
  ["GET", "/"],
  ["POST", "/login/password"],
  ["POST", "/logout"],
  ["POST", "/api/v1/keys"],
  ["POST", "/api/v1/key/initialize"],
];

/** A page whose name is rebound to this machine. Throws where one of its sign-ins counted. */
export async function tryRebinding(): Promise<Outcome[]> {
  const tally = new Tally("a page whose name is rebound to this machine, in Chromium");
  await using server = await startClaviger();
  const own = await firstPerson(server);
  const before = await worldOf(server, own);
  await using browser = await startChromium([
    `--host-resolver-rules=${NAMES.map((name) => `MAP ${name} 127.0.0.1`).join(",")}`,
    // Newer browsers ask before a page reaches loopback; the server must not rely on that.
    "--disable-features=LocalNetworkAccessChecks",
  ]);
  for (const name of NAMES) {
    const origin = `http://${name}:${new URL(server.url).port}`;
    const page = await browser.openPage();
    await page.route(`${origin}/page`, (route) =>
      route.fulfill({ contentType: "text/html", body: "<!doctype html><title>hostile</title>" }),
    );
    await page.goto(`${origin}/page`);
    for (const [method, path] of ASKED) {
      const body =
        method === "GET" ? {} : { body: JSON.stringify({ password: own.password, key: freshPassword() }) };
      const init = JSON.stringify({ method, headers: { "content-type": "application/json" }, ...body });
      const asked = `fetch(${JSON.stringify(path)}, ${init}).then(async (answer) => answer.status + " " + await answer.text())`;
      const [status, ...text] = String(await page.evaluate(asked)).split(" ");
      tally.add(`${name} ${method} ${path}`, { status: Number(status), text: text.join(" ") });
    }
  }
  if ((await worldOf(server, own)) !== before) throw new Error("a rebound page changed something");
  await person(server, own.password);
  return [tally.outcome];
}
