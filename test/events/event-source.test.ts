import { EventSource } from "eventsource";
import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";

test("[C8] the browsers' EventSource reads events, and comes back by itself without missing one", async () => {
  await using claviger = await startClaviger();
  const { key } = await claviger.issueKey("operator", ["operator"]);
  const ids: (string | undefined)[] = [];
  let cut = new AbortController();
  const source = new EventSource(`${claviger.url}/sse?types=key`, {
    fetch: (input, { signal, headers }) => {
      const from = new Headers(headers).get("last-event-id");
      ids.push(from ?? undefined);
      cut = new AbortController();
      return fetch(input, {
        signal: AbortSignal.any([cut.signal, ...(signal instanceof AbortSignal ? [signal] : [])]),
        headers: { ...headers, authorization: `Bearer ${key}` },
      });
    },
  });
  const names: unknown[] = [];
  const told = Promise.withResolvers<void>();
  let first = Promise.withResolvers<string>();
  source.addEventListener("key.created", ({ data, lastEventId }) => {
    const { name }: { name?: unknown } = JSON.parse(String(data));
    names.push(name);
    first.resolve(lastEventId);
    if (name === "three") told.resolve();
  });
  await new Promise((resolve) => source.addEventListener("open", resolve, { once: true }));
  await claviger.issueKey("one");
  const lastId = await first.promise;
  first = Promise.withResolvers();
  // An abort without a reason would be taken for the reader's own wish.
  cut.abort(new Error("the network is gone"));
  await claviger.issueKey("two");
  await claviger.issueKey("three");
  await told.promise;
  source.close();
  expect(names).toEqual(["one", "two", "three"]);
  expect(ids).toEqual([undefined, lastId]);
}, 20_000);
