import { newPair, startFileBench } from "./file.ts";

const identity = (hash: string) => ({
  resource_type: "Identity",
  credential: { api_key: hash },
  permissions: "gateway",
});
const listener = (auth: readonly string[]) => ({
  resource_type: "HttpServer",
  listen_addr: "127.0.0.1:0",
  auth,
});

/** Reloads so often while four clients ask without a pause; the statuses of what failed, and how often was asked. */
export async function reloadUnderLoad(reloads: number): Promise<{ failed: number[]; asked: number }> {
  const [stays, other] = [newPair(), newPair()];
  const resources = (sim: object, turn: number) => ({
    sim,
    stays: identity(stays.hash),
    ...(turn % 2 === 0 ? { other: identity(other.hash) } : {}),
    main: listener(turn % 2 === 0 ? ["stays", "other"] : ["stays"]),
  });
  await using bench = await startFileBench((sim) => resources(sim, 0));
  const failed: number[] = [];
  let [asked, reloading] = [0, true];
  const load = async () => {
    while (reloading) {
      const status = await bench.chat(stays.key);
      asked += 1;
      if (status !== 200) failed.push(status);
    }
  };
  const clients = Array.from({ length: 4 }, load);
  for (let turn = 1; turn <= reloads; turn += 1) {
    bench.write(resources(bench.provider, turn));
    await bench.claviger.app.reload();
  }
  reloading = false;
  await Promise.all(clients);
  return { failed, asked };
}
