import type { Socket } from "node:net";
import type { Server } from "../drain.ts";
import { PlainConnection, type PlainConnectionParts } from "./plain-connection.ts";

/**
 * Stands before Node's reading of a server's connections: plain requests for the gateway are read here, which takes a
 * quarter off what each costs (docs/adr/0014). A connection on which anything else comes is Node's from then on, with
 * every byte that was not answered.
 */
export class PlainConnections {
  readonly #open = new Set<PlainConnection>();

  constructor(server: Server, parts: Omit<PlainConnectionParts, "handOver">) {
    const event = "setSecureContext" in server ? "secureConnection" : "connection";
    const readers = server.listeners(event);
    server.removeAllListeners(event);
    const handOver = (socket: Socket, bytes: Buffer) => {
      socket.pause();
      socket.unshift(bytes);
      for (const read of readers) read.call(server, socket);
      socket.resume();
    };
    server.on(event, (socket: Socket) => {
      const connection = new PlainConnection(socket, {
        ...parts,
        handOver: (...rest) => {
          this.#open.delete(connection);
          handOver(...rest);
        },
      });
      this.#open.add(connection);
      socket.once("close", () => this.#open.delete(connection));
    });
    const { headersMs } = parts.timeouts;
    const sweep = setInterval(() => this.#checkTimes(), Math.min(1000, headersMs)).unref();
    server.once("close", () => clearInterval(sweep));
  }

  /** Closes those that wait for a request. */
  closeIdle(): void {
    for (const connection of this.#open) if (connection.isIdle) connection.destroy();
  }

  #checkTimes(): void {
    const nowMs = performance.now();
    for (const connection of this.#open) connection.checkTime(nowMs);
  }
}
