import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { requiredTool } from "#test/system/required-tool.ts";
import { startProgram } from "#test/system/running-program.ts";
import type { Contender, UpstreamOfBench } from "./contenders.ts";

/** nginx as a reverse proxy, with one worker unless said; `undo` ends it. `files` is how many it may have open. */
export async function startNginx(
  within: string,
  { port: upstreamPort, credential, files }: UpstreamOfBench,
  { name = "nginx", workers = 1, undo }: { name?: string; workers?: number; undo: AsyncDisposableStack },
): Promise<Contender> {
  const port = await freePort();
  const directory = path.join(within, name.replaceAll(/\W+/g, "-"));
  mkdirSync(directory, { recursive: true });
  const file = path.join(directory, "nginx.conf");
  writeFileSync(file, nginxConfig({ directory, port, upstreamPort, credential, files, workers }));
  const nginx = undo.use(startProgram(requiredTool("nginx"), ["-c", file, "-e", "stderr"]));
  // Ended by itself it waits for its worker, whose time is then known as that of a child.
  undo.defer(async () => void (await nginx.end("SIGTERM")));
  const started = Array(workers).fill("start worker process (\\d+)").join("[^]*");
  const [, ...pids] = await nginx.hears(new RegExp(started));
  return { name, port, headers: {}, pids: [nginx.pid, ...pids.map(Number)] };
}

interface NginxParts {
  readonly directory: string;
  readonly port: number;
  readonly upstreamPort: number;
  readonly credential: string;
  readonly files: number;
  readonly workers: number;
}

/** A reverse proxy that puts in a credential and logs a line a request, as Claviger does. */
function nginxConfig({ directory, port, upstreamPort, credential, files, workers }: NginxParts): string {
  return `daemon off;
user root;
worker_processes ${workers};
worker_rlimit_nofile ${files};
error_log stderr notice;
pid ${directory}/nginx.pid;
events { worker_connections ${files}; }
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
    listen 127.0.0.1:${port} backlog=4096;
    location /v1/ {
      proxy_pass http://behind;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer ${credential}";
      proxy_buffers 8 64k;
    }
  }
}
`;
}

/** A port that was free a moment ago, for a program that does not tell which one it was given. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}
