import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { isLoopbackAddress } from "#platform/http/host.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { CliError, EXIT } from "./exit-codes.ts";

/** A server that is asked over the network, and how it is known to be the right one. */
export interface RemoteServer {
  /** `http:` or `https:`, without path, query and user. */
  readonly url: URL;
  readonly key: Secret;
  /** Where the key came from, for messages. */
  readonly keyFrom: string;
  /** Authorities in PEM, in place of the well-known ones. */
  readonly ca: string | undefined;
  /** SHA-256 of its certificate, 64 digits of lower-case hex; then no authority is asked, unless `ca` is given too. */
  readonly pin: string | undefined;
  /** Whether the key may go unencrypted to another machine. */
  readonly allowPlainHttp: boolean;
}

/**
 * A connection to that server and no other: nothing was sent on it beside the handshake. No proxy is used. CliError:
 * 76 it is another server or cannot prove which it is; what the system says is thrown as it is.
 */
export async function openRemote(remote: RemoteServer, signal: AbortSignal): Promise<Socket> {
  const { url } = remote;
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  if (url.protocol === "http:") {
    const socket = await settled(connect({ host, port }), "connect", signal);
    if (remote.allowPlainHttp || isLoopbackAddress(socket.remoteAddress ?? "")) return socket;
    socket.destroy();
    throw new CliError(`${url.hostname} is another machine, and the key would go to it unencrypted`, {
      exitCode: EXIT.usage,
    });
  }
  const ca = remote.ca === undefined ? {} : { ca: remote.ca };
  // Judged below and not by the handshake, so that the refusal can name the certificate that was shown.
  const options = { host, port, servername: isIP(host) === 0 ? host : "", rejectUnauthorized: false, ...ca };
  const socket = await settled(connectTls(options), "secureConnect", signal);
  const complaint = judge(socket, remote);
  if (complaint === undefined) return socket;
  socket.destroy();
  throw complaint;
}

/** What a broken connection to it means. */
export function remoteProblem({ url }: RemoteServer, cause: unknown): CliError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const fail = (message: string, exitCode: number, repair?: string) =>
    new CliError(message, { exitCode, cause, ...(repair === undefined ? {} : { repair }) });
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return fail(`the name ${url.hostname} is not known here`, EXIT.notRunning);
  if (["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"].includes(code))
    return fail(`nothing answers on ${url.origin} (${code})`, EXIT.notRunning);
  if (code === "EPROTO" || code.startsWith("ERR_SSL_"))
    return fail(`${url.host} does not speak TLS as we do (${code})`, EXIT.wrongServer, "is its URL http://?");
  return fail(`the connection to ${url.origin} broke`, EXIT.failed);
}

function settled<S extends Socket>(socket: S, event: string, signal: AbortSignal): Promise<S> {
  return new Promise((resolve, reject) => {
    const stop = () => socket.destroy(new Error("the time is up"));
    signal.addEventListener("abort", stop, { once: true });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the connection was closed")));
    socket.once(event, () => {
      signal.removeEventListener("abort", stop);
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

function judge(socket: TLSSocket, { url, ca, pin }: RemoteServer): CliError | undefined {
  const shown = socket.getPeerCertificate().fingerprint256?.replaceAll(":", "").toLowerCase();
  const wrong = (message: string, repair: string) =>
    new CliError(message, { exitCode: EXIT.wrongServer, repair });
  if (pin !== undefined && shown !== pin)
    return wrong(
      `${url.host} is not the server that was pinned: its certificate is sha256:${shown ?? "none"}, the pin sha256:${pin}`,
      "nothing was sent; ask the server's operator which of the two is right",
    );
  if (socket.authorized || (pin !== undefined && ca === undefined)) return undefined;
  return wrong(
    `the certificate of ${url.host} is not trusted (${reasonOf(socket.authorizationError)})`,
    `name its authority with --ca-file FILE, or, if its operator confirms it: --pin sha256:${shown ?? ""}`,
  );
}

/** Typed as an error, and in fact its code. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
