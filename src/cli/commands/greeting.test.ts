import { expect, test } from "vitest";
import { greeting } from "./greeting.ts";

const FACTS = {
  urls: ["https://192.0.2.1:8442"],
  fresh: true,
  locked: false,
  dataDir: "/srv/data",
  usualDataDir: "/srv/data",
  command: "claviger",
};

test("[U2] [N14] the start tells the setup code where one is wanted, also on a server that is locked, and nothing of one otherwise", () => {
  for (const locked of [false, true]) {
    const said = greeting({ ...FACTS, locked, setupCode: "an-example-of-a-code" });
    expect(said).toContain("The first sign-in is as admin, with this code, once: an-example-of-a-code\n");
    expect(greeting({ ...FACTS, locked, setupCode: undefined })).not.toContain("sign-in");
  }
});

test("[N14] a new server names the command that leads through its first steps, and only a new one", () => {
  const said = (fresh: boolean) => greeting({ ...FACTS, fresh, setupCode: undefined });
  expect(said(true)).toMatch(/^ {2}claviger setup$/m);
  expect(said(false)).not.toContain("setup");
});
