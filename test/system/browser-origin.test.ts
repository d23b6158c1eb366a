import { expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { startUpstream, UPSTREAM_MODEL, type Upstream } from "#test/upstream.ts";
import { type Chromium, startChromium } from "./chromium.ts";
import { pathOf, startHostileSite, VEHICLES, WAYS } from "./hostile-site.ts";
import { requiredTool } from "./required-tool.ts";
import { runProgram } from "./run-program.ts";

const A_MINUTE = { timeout: 60_000 };
const BODY = JSON.stringify({
  model: `sim/${UPSTREAM_MODEL}`,
  messages: [{ role: "user", content: "hello" }],
});

/** The list of models for which the server asks by itself when a provider is added, over one connection. */
const NOTHING = { requests: 0, lists: 1, connections: 1 };

async function addListedProvider(claviger: TestClaviger, upstream: Upstream): Promise<void> {
  const listed = upstream.nextListing();
  await claviger.addProvider("sim", upstream.baseUrl, "upstream-credential-0001");
  await listed;
}

function asked(upstream: Upstream): typeof NOTHING {
  return { requests: upstream.requests.length, lists: upstream.listed, connections: upstream.connections };
}

/** localhost is another site than 127.0.0.1; another port of it is only another origin. */
const HOSTS = ["127.0.0.1", "localhost"] as const;
const ATTACKS = HOSTS.flatMap((host) => VEHICLES.map((vehicle) => ({ host, vehicle })));

test.for(ATTACKS)(
  "[A10][A11] a page on another origin in Chromium gets nothing to the upstream: $vehicle on $host",
  A_MINUTE,
  async ({ host, vehicle }) => {
    await using upstream = await startUpstream({ listsApart: true });
    await using claviger = await startClaviger();
    await addListedProvider(claviger, upstream);
    const before = statuses(claviger).length;
    await using site = await startHostileSite(claviger.url);
    await using browser = await startChromium();

    const learned = await openAndLearn(browser, `http://${host}:${site.port}${pathOf(vehicle)}`);

    await expect.poll(() => statuses(claviger).length - before, { timeout: 10_000 }).toBe(WAYS);
    expect(statuses(claviger).slice(before)).toEqual(Array(WAYS).fill(403));
    expect(learned).toHaveLength(WAYS);
    expect(learned.filter((line) => /basic|cors \d|default|: open/.test(line))).toEqual([]);
    expect(asked(upstream)).toEqual(NOTHING);

    expect(await curlChat(claviger.url)).toBe("200");
    expect(upstream.requests).toHaveLength(1);
  },
);

test(
  "[A7][A10] a page whose name is rebound to loopback is answered 421 and reaches nothing",
  A_MINUTE,
  async () => {
    await using upstream = await startUpstream({ listsApart: true });
    await using claviger = await startClaviger();
    await addListedProvider(claviger, upstream);
    await using browser = await startChromium([
      "--host-resolver-rules=MAP rebind.test 127.0.0.1",
      // Newer browsers ask before a page reaches loopback; the server must not rely on that.
      "--disable-features=LocalNetworkAccessChecks",
    ]);
    const origin = `http://rebind.test:${new URL(claviger.url).port}`;
    const page = await browser.openPage();
    // The page itself came from the attacker's server, before the name was pointed at this one.
    await page.route(`${origin}/page`, (route) =>
      route.fulfill({ contentType: "text/html", body: "<!doctype html><title>hostile</title>" }),
    );
    await page.goto(`${origin}/page`);

    const answers: unknown = await page.evaluate(`Promise.all([
      fetch("/v1/models"),
      fetch("/v1/chat/completions", {
        method: "POST", headers: { "content-type": "application/json" }, body: ${JSON.stringify(BODY)},
      }),
      fetch("/api/v1/info"),
      fetch("/health"),
    ].map((asked) => asked.then((answer) => answer.status)))`);

    expect(answers).toEqual([421, 421, 421, 421]);
    expect(asked(upstream)).toEqual(NOTHING);
    expect(await curlChat(claviger.url)).toBe("200");
  },
);

test(
  "[A10] a page of a listed origin calls the gateway with a key, and any other origin does not",
  A_MINUTE,
  async () => {
    await using upstream = await startUpstream({ listsApart: true });
    await using site = await startHostileSite("http://127.0.0.1:1");
    const listed = `http://127.0.0.1:${site.port}`;
    await using claviger = await startClaviger({
      yaml: `settings:\n  allowed_origins: ["${listed}"]\n`,
    });
    await addListedProvider(claviger, upstream);
    const { key } = await claviger.issueKey("web-app");
    await using browser = await startChromium();
    const call = (credentials: string) => `
      fetch("${claviger.url}/v1/chat/completions", {
        method: "POST",
        credentials: "${credentials}",
        headers: { "content-type": "application/json", authorization: "Bearer ${key}" },
        body: ${JSON.stringify(BODY)},
      }).then((answer) => answer.status, () => "unreadable")`;

    const page = await browser.openPage();
    await page.goto(`http://localhost:${site.port}/`);
    expect(await page.evaluate(call("omit"))).toBe("unreadable");
    expect(asked(upstream)).toEqual(NOTHING);

    await page.goto(`${listed}/`);
    expect(await page.evaluate(call("omit"))).toBe(200);
    expect(upstream.requests).toHaveLength(1);
    expect(await page.evaluate(call("include"))).toBe("unreadable");
  },
);

/** Opens the page and waits until it has tried everything. */
async function openAndLearn(browser: Chromium, url: string): Promise<string[]> {
  const page = await browser.openPage();
  await page.goto(url);
  await page.waitForFunction("window.learned !== undefined", undefined, { timeout: 20_000 });
  const learned: unknown = await page.evaluate("window.learned");
  return Array.isArray(learned) ? learned.map(String) : [];
}

/** The status of every request over TCP so far, from the access log. */
function statuses(claviger: TestClaviger): number[] {
  const lines = claviger.logged().split("\n").filter(Boolean);
  return lines
    .map((line): Record<string, unknown> => JSON.parse(line))
    .filter((entry) => entry.msg === "request" && entry.listener === "local")
    .map((entry) => Number(entry.status));
}

/** The same request as a local program sends it, without `Origin`: its status. */
async function curlChat(url: string): Promise<string> {
  const json = "content-type: application/json";
  const { stdout } = await runProgram(requiredTool("curl"), [
    ...["--silent", "--output", "/dev/null", "--write-out", "%{http_code}"],
    ...["--noproxy", "*", "--header", json, "--data", BODY, `${url}/v1/chat/completions`],
  ]);
  return stdout;
}
