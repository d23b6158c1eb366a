import { afterAll, beforeAll, expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { writeDashboard } from "#test/dashboard/fixture.ts";
import { rawRequest, sendRaw } from "#test/gates/raw.ts";
import {
  DASHBOARD,
  expectNoViolations,
  mainHeading,
  settledAdmin,
  signIn,
  startBrowser,
  type TestBrowser,
} from "./browser.ts";

const LIMIT_BYTES = 200 * 1024;

let browser: TestBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

const A_MINUTE = { timeout: 60_000 };
const serve = () => startClaviger({ dashboardDir: DASHBOARD });

test(
  "[D1] [A4] a stranger's browser shows the page to sign in at, over nothing but this server, without a breach of the policy",
  A_MINUTE,
  async () => {
    await using claviger = await serve();
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    for (const path of ["/", "/keys"]) {
      const answer = await page.goto(path);
      expect(answer?.status()).toBe(200);
      await page.getByLabel("User name").waitFor();
      await expectNoViolations(page);
    }
  },
);

test("[D1] the first load is under 200 KB compressed by gzip, counted on the wire", A_MINUTE, async () => {
  await using claviger = await serve();
  const admin = await settledAdmin(claviger);
  await using visit = await browser.visit(claviger.url);
  const page = await visit.openPage();
  const asked: string[] = [];
  page.on("request", (request) => void asked.push(new URL(request.url()).pathname));
  await page.goto("/");
  await page.getByLabel("User name").waitFor();
  const toSignIn = await gzipBytes(claviger.url, asked);
  await signIn(page, admin);
  await mainHeading(page).waitFor();
  const toFirstPage = await gzipBytes(claviger.url, asked);
  console.log(`first load: ${toSignIn} bytes to the sign-in, ${toFirstPage} to the page behind it`);
  expect(asked.length).toBeGreaterThan(2);
  expect(toSignIn).toBeLessThan(LIMIT_BYTES);
});

/** What the documents and files among these paths take on the wire, heads included. */
async function gzipBytes(url: string, paths: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const path of new Set(paths.filter((each) => each === "/" || each.startsWith("/assets/"))))
    bytes += (await sendRaw(url, rawRequest(`GET ${path} HTTP/1.1`, ["Accept-Encoding: gzip"]))).length;
  return bytes;
}

test(
  "[D1] a script in the page itself is not run, nor one with another answer's nonce; the policy says so",
  A_MINUTE,
  async () => {
    const planted = "<script>document.documentElement.dataset.ran = 'bare'</script>";
    const guessed =
      "<script nonce='AAAAAAAAAAAAAAAAAAAAAA=='>document.documentElement.dataset.ran = 'guessed'</script>";
    const rightful = "<script nonce='__CSP_NONCE__'>document.documentElement.dataset.own = 'yes'</script>";
    using built = writeDashboard({
      "index.html": `<!doctype html><title>planted</title><body onload="this.dataset.ran='attribute'">${planted}${guessed}${rightful}`,
    });
    await using claviger = await startClaviger({ dashboardDir: built.directory });
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/");
    await expect.poll(() => visit.faults.filter((fault) => fault.includes("policy breached")).length).toBe(3);
    expect(
      await page.evaluate("({ ...document.documentElement.dataset, ...document.body.dataset })"),
    ).toEqual({
      own: "yes",
    });
    visit.faults.length = 0;
  },
);

test(
  "[D1] a path that is nobody's shows the dashboard's page for that, and the way back",
  A_MINUTE,
  async () => {
    await using claviger = await serve();
    const admin = await settledAdmin(claviger);
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    const answer = await page.goto("/no/such/page");
    expect(answer?.status()).toBe(404);
    await signIn(page, admin);
    await mainHeading(page).waitFor();
    await expectNoViolations(page);
    expect(visit.faults.splice(0)).toEqual([expect.stringMatching(/^answered 404: .*\/no\/such\/page$/)]);
  },
);
