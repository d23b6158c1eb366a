import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const SCRIPT = readFileSync(new URL("hostile-page.js", import.meta.url), "utf8");

/** How a page comes to attack: by itself, or from a frame whose origin is `null`. */
export const VEHICLES = ["page", "sandboxed frame", "data frame"] as const;
export type Vehicle = (typeof VEHICLES)[number];

export interface HostileSite extends AsyncDisposable {
  readonly port: number;
}

/** How many requests one attack sends to the gateway: one by each way of the script. */
export const WAYS = 13;

/** A site on 127.0.0.1 whose pages attack `gateway` as soon as they are opened, each at the path of its vehicle. */
export async function startHostileSite(gateway: string): Promise<HostileSite> {
  const pages = new Map<string, string>(
    VEHICLES.map((vehicle) => [pathOf(vehicle), pageOf(vehicle, gateway)]),
  );
  const server = createServer((request, response) => {
    const page = pages.get(request.url ?? "");
    response.writeHead(page === undefined ? 404 : 200, { "content-type": "text/html" });
    response.end(page ?? "<!doctype html><title>a page</title>");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the site has no port");
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function pathOf(vehicle: Vehicle): string {
  return `/${vehicle.replace(" ", "-")}`;
}

/** The page puts what it learned into `learned`, a list of lines, once it is done. */
function pageOf(vehicle: Vehicle, gateway: string): string {
  const attack = `attack(${JSON.stringify(gateway)})`;
  if (vehicle === "page")
    return document(`${SCRIPT}\n${attack}.then((lines) => { window.learned = lines; });`);
  const inner = document(`${SCRIPT}\n${attack}.then((lines) => parent.postMessage(lines, "*"));`);
  const source =
    vehicle === "data frame"
      ? `frame.src = "data:text/html," + encodeURIComponent(inner);`
      : `frame.sandbox = "allow-scripts allow-forms"; frame.srcdoc = inner;`;
  // A closing tag in the inner document would end the outer script.
  const quoted = JSON.stringify(inner).replaceAll("<", "\\u003c");
  return document(`
    addEventListener("message", (event) => { window.learned = event.data; });
    const inner = ${quoted};
    const frame = window.document.createElement("iframe");
    ${source}
    window.document.body.append(frame);`);
}

function document(script: string): string {
  return `<!doctype html><meta charset="utf-8"><title>hostile</title><body><script>${script}</script></body>`;
}
