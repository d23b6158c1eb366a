import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { requiredTool } from "#test/system/required-tool.ts";
import { runProgram } from "#test/system/run-program.ts";
import { startProgram } from "#test/system/running-program.ts";

/** One of what is compared: where to send requests, and the processes whose time it costs. */
export interface Contender {
  readonly name: string;
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly pids: readonly number[];
}

export interface Contenders extends AsyncDisposable {
  readonly all: readonly Contender[];
  /** The model to ask for: Claviger takes the part before the slash off, the others do not look. */
  readonly model: string;
}

const ROOT = path.resolve(import.meta.dirname, "..");
const MAIN = path.join(ROOT, "src/main.ts");
const NODE_FLAGS = ["--disable-warning=ExperimentalWarning"];
const CREDENTIAL = "bench-upstream-credential";

/** Starts the upstream, nginx with one worker, and Claviger; `directory` takes what they write. */
export async function startContenders(
  directory: string,
  serverFlags: readonly string[] = [],
): Promise<Contenders> {
  await using undo = new AsyncDisposableStack();
  const upstream = undo.use(startProgram(process.execPath, [path.join(import.meta.dirname, "upstream.ts")]));
  const upstreamPort = Number((await upstream.hears(/port (\d+)/))[1]);
  const nginx = await startNginx(directory, upstreamPort, undo);
  const claviger = await startClaviger(directory, upstreamPort, { undo, serverFlags });
  const bare = { name: "upstream alone", port: upstreamPort, headers: {}, pids: [upstream.pid] };
  const running = undo.move();
  return {
    all: [bare, nginx, claviger],
    model: "bench/bench-1",
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function startNginx(
  directory: string,
  upstreamPort: number,
  undo: AsyncDisposableStack,
): Promise<Contender> {
  const port = await freePort();
  const file = path.join(directory, "nginx.conf");
  writeFileSync(file, nginxConfig(directory, port, upstreamPort));
  const nginx = undo.use(startProgram(requiredTool("nginx"), ["-c", file, "-e", "stderr"]));
  const [, worker] = await nginx.hears(/start worker process (\d+)/);
  return { name: "nginx", port, headers: {}, pids: [nginx.pid, Number(worker)] };
}

/** A reverse proxy that puts in a credential and logs a line a request, as Claviger does. */
function nginxConfig(directory: string, port: number, upstreamPort: number): string {
  return `daemon off;
user root;
worker_processes 1;
error_log stderr notice;
pid ${directory}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log /dev/null;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  keepalive_requests 1000000000;
  upstream behind { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location /v1/ {
      proxy_pass http://behind;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer ${CREDENTIAL}";
      proxy_buffers 8 64k;
    }
  }
}
`;
}

async function startClaviger(
  directory: string,
  upstreamPort: number,
  { undo, serverFlags }: { undo: AsyncDisposableStack; serverFlags: readonly string[] },
): Promise<Contender> {
  const where = ["--data-dir", path.join(directory, "claviger")];
  const env = { PATH: process.env.PATH, HOME: directory };
  const command = (args: readonly string[], stdin = "") =>
    runProgram(process.execPath, [...NODE_FLAGS, MAIN, ...args, ...where], { env, stdin });
  const serve = [...NODE_FLAGS, ...serverFlags, MAIN, "serve", "--listen", "127.0.0.1:0", ...where];
  const server = undo.use(startProgram(process.execPath, serve, { env, stdout: "ignore" }));
  const [, port = ""] = await server.hears(/listens on http:\/\/127\.0\.0\.1:(\d+)/);
  const add = ["provider", "add", "bench", "--kind", "openai-compatible"];
  await command([...add, "--base-url", `http://127.0.0.1:${upstreamPort}/v1`], `${CREDENTIAL}\n`);
  const created: { key: string } = JSON.parse(
    (await command(["api-key", "create", "bench", "--json"])).stdout,
  );
  const headers = { authorization: `Bearer ${created.key}` };
  return { name: "Claviger", port: Number(port), headers, pids: [server.pid] };
}

/** nginx does not tell which port it was given, so it is given one that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}
