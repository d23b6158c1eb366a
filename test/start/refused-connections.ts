import { connect } from "node:net";

/** Settles once the address takes no connection any more, in whatever thread. */
export async function refusesConnections(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  for (;;) {
    const taken = await new Promise<boolean>((resolve) => {
      const socket = connect(Number(port), hostname);
      const settle = (answer: boolean) => {
        socket.destroy();
        resolve(answer);
      };
      socket.once("connect", () => settle(true));
      socket.once("error", () => settle(false));
    });
    if (!taken) return;
  }
}
