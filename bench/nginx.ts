import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { requiredTool } from "#test/system/required-tool.ts";
import { startProgram } from "#test/system/running-program.ts";
import type { Contender, UpstreamOfBench } from "./contenders.ts";

/** nginx with one worker as a reverse proxy; `undo` ends it. `files` is how many it may have open. */
export async function startNginx(
  directory: string,
  { port: upstreamPort, credential, files }: UpstreamOfBench,
  undo: AsyncDisposableStack,
): Promise<Contender> {
  const port = await freePort();
  const file = path.join(directory, "nginx.conf");
  writeFileSync(file, nginxConfig({ directory, port, upstreamPort, credential, files }));
  const nginx = undo.use(startProgram(requiredTool("nginx"), ["-c", file, "-e", "stderr"]));
  // Ended by itself it waits for its worker, whose time is then known as that of a child.
  undo.defer(async () => void (await nginx.end("SIGTERM")));
  const [, worker] = await nginx.hears(/start worker process (\d+)/);
  return { name: "nginx", port, headers: {}, pids: [nginx.pid, Number(worker)] };
}

interface NginxParts {
  readonly directory: string;
  readonly port: number;
  readonly upstreamPort: number;
  readonly credential: string;
  readonly files: number;
}

/** A reverse proxy that puts in a credential and logs a line a request, as Claviger does. */
function nginxConfig({ directory, port, upstreamPort, credential, files }: NginxParts): string {
  return `daemon off;
user root;
worker_processes 1;
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
