import { createEgressClient } from "#platform/egress/egress-client.ts";

/** Asks for the URL that is its argument and prints the status. */
await using client = createEgressClient();
const answer = await client.collect(
  { url: new URL(process.argv[2] ?? ""), method: "GET", headers: [] },
  1024 * 1024,
);
process.stdout.write(String(answer.status));
