import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { callServer } from "./control-client.ts";

let directory: string;
let socketPath: string;
let closers: (() => Promise<void>)[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "claviger-"));
  socketPath = join(directory, "control.sock");
  closers = [];
});

afterEach(async () => {
  for (const close of closers) await close();
  await rm(directory, { recursive: true });
});

async function serve(listener: RequestListener): Promise<void> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
}

const answering =
  (status: number, type: string, text: string): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { "content-type": type }).end(text);
  };

test("a call carries method, path and JSON body, and gives the parsed answer", async () => {
  await serve(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const { method, url, headers } = request;
    const seen = { method, url, type: headers["content-type"], length: headers["content-length"], text };
    response.writeHead(201, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(seen));
  });
  const answer = await callServer({
    socketPath,
    method: "POST",
    path: "/api/v1/keys?x=1",
    body: { name: "ä" },
  });
  expect(answer).toEqual({
    status: 201,
    body: {
      method: "POST",
      url: "/api/v1/keys?x=1",
      type: "application/json",
      length: "13",
      text: '{"name":"ä"}',
    },
  });
});

test("a call without a body claims none, and an empty answer is undefined", async () => {
  let type: string | undefined = "not called";
  await serve((request, response) => {
    type = request.headers["content-type"];
    response.writeHead(204).end();
  });
  expect(await callServer({ socketPath, method: "DELETE", path: "/api/v1/keys/key_1" })).toEqual({
    status: 204,
    body: undefined,
  });
  expect(type).toBeUndefined();
});

test("text that is not JSON is given as it is", async () => {
  await serve(answering(200, "text/plain", "up 1\n"));
  expect((await callServer({ socketPath, method: "GET", path: "/metrics" })).body).toBe("up 1\n");
});

test.each([
  [400, 65],
  [401, 77],
  [403, 77],
  [404, 65],
  [409, 65],
  [429, 75],
  [500, 1],
  [503, 75],
  [507, 75],
])("a problem of status %i is a CliError with exit status %i and the server's words", async (status, exitCode) => {
  const problem = { code: "some_code", title: "The title.", detail: "The detail.", status };
  await serve(answering(status, "application/problem+json", JSON.stringify(problem)));
  await expect(callServer({ socketPath, method: "GET", path: "/" })).rejects.toMatchObject({
    name: "CliError",
    exitCode,
    message: "The detail.",
    problem,
  });
});

test("a problem without detail speaks by its title; a refusal in no known form by its status", async () => {
  await serve((request, response) => {
    const known = request.url === "/known";
    const text = known ? '{"code":"conflict","title":"The name is taken."}' : "{broken";
    response.writeHead(409, { "content-type": "application/problem+json" }).end(text);
  });
  const call = (path: string) => callServer({ socketPath, method: "GET", path });
  await expect(call("/known")).rejects.toMatchObject({ message: "The name is taken.", exitCode: 65 });
  await expect(call("/other")).rejects.toMatchObject({ message: "the server answered 409", exitCode: 65 });
});

test("without a socket no server is running: exit status 69 and the line that starts one", async () => {
  await expect(
    callServer({ socketPath, dataDir: "/srv/keys", method: "GET", path: "/" }),
  ).rejects.toMatchObject({
    exitCode: 69,
    message: "no server is running on /srv/keys",
    repair: "start it with: claviger serve --data-dir /srv/keys",
  });
});

test("a file left where the socket was is no running server either", async () => {
  await writeFile(socketPath, "");
  await expect(callServer({ socketPath, method: "GET", path: "/" })).rejects.toMatchObject({
    exitCode: 69,
    message: `no server is running on ${socketPath}`,
    repair: "start it with: claviger serve",
  });
});

test("a success whose JSON is broken is exit status 1, never a value", async () => {
  await serve(answering(200, "application/json", '{"data":['));
  await expect(callServer({ socketPath, method: "GET", path: "/" })).rejects.toMatchObject({ exitCode: 1 });
});

test("an answer cut in the middle is exit status 1, never half a value", async () => {
  await serve((_request, response) => {
    response.writeHead(200, { "content-type": "text/plain", "content-length": 100 });
    response.write("half", () => response.destroy());
  });
  await expect(callServer({ socketPath, method: "GET", path: "/" })).rejects.toMatchObject({ exitCode: 1 });
});

test("an answer without end is given up at 64 MiB", async () => {
  const piece = Buffer.alloc(1024 * 1024, "a");
  await serve((_request, response) => {
    const more = () => void (response.destroyed || response.write(piece, more));
    more();
  });
  await expect(callServer({ socketPath, method: "GET", path: "/" })).rejects.toMatchObject({
    exitCode: 1,
    message: "the server's answer is too large",
  });
});

test("a server that never answers is given up at the deadline with exit status 75", async () => {
  await serve(() => undefined);
  await expect(callServer({ socketPath, method: "GET", path: "/", deadlineMs: 20 })).rejects.toMatchObject({
    exitCode: 75,
  });
});
