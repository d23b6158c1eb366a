import {
  begun,
  bodyOf,
  bytes,
  COMPLETION,
  closing,
  ended,
  event,
  HALF_CHARACTER,
  typeOf,
  usualBytes,
} from "./answers.ts";
import { both, complete, cut, type Fault, failed, late, raised } from "./fault.ts";
import { whole } from "./raw-upstream.ts";
import { readByPeer } from "./read-by-peer.ts";

/** Faults of the connection: none, none in time, or one that breaks off. */
export const BROKEN_CONNECTIONS: readonly Fault[] = [
  {
    name: "refuses the connection",
    upstream: "refused",
    ...both(raised(502, "upstream_unreachable", [0, 0])),
  },
  {
    name: "its name does not resolve",
    upstream: "unresolved",
    ...both(raised(502, "upstream_unreachable", [0, 0])),
  },
  { name: "no first byte in time", upstream: () => {}, isSilent: true, ...both(late) },
  {
    name: "never reads the request's body",
    upstream: () => {},
    readsBody: false,
    isSilent: true,
    ...both(late),
  },
  { name: "closes without an answer", upstream: (socket) => void socket.end(), ...both(failed) },
  { name: "resets without an answer", upstream: (socket) => void socket.resetAndDestroy(), ...both(failed) },
  { name: "speaks no HTTP", upstream: closing(() => "SSH-2.0-OpenSSH_9.2\r\n"), ...both(failed) },
  {
    name: "closes a kept connection as the request is sent",
    upstream: (socket, { before, streamed }) =>
      before > 0 ? void socket.destroy() : void socket.end(usualBytes(streamed)),
    reusesConnection: true,
    ...both({ ...failed, asked: [1, 2], metWithRetries: "result" }),
  },
  {
    name: "closes within its answer",
    upstream: closing((streamed) => begun(streamed, bodyOf(streamed).slice(0, -30))),
    whole: failed,
    streamed: cut(),
  },
  {
    name: "resets within its answer",
    upstream: (socket, { streamed }) =>
      void socket.write(
        begun(streamed, bodyOf(streamed).slice(0, -30)),
        () =>
          // What has come and was not read yet would be lost with the reset.
          void readByPeer(socket).then(() => socket.resetAndDestroy()),
      ),
    whole: failed,
    streamed: cut(),
  },
  {
    name: "breaks off within a character",
    upstream: closing((streamed) =>
      begun(
        streamed,
        Buffer.concat([
          Buffer.from(streamed ? `${event("a")}data: {"choices":[{"delta":{"content":"` : '{"choices":"'),
          HALF_CHARACTER,
        ]),
      ),
    ),
    whole: failed,
    streamed: cut(),
  },
  {
    name: "ends properly, within an event or an object",
    upstream: bytes((streamed) => ended(streamed, bodyOf(streamed).slice(0, -90))),
    whole: failed,
    streamed: cut(),
  },
  {
    name: "ends properly, within an object and behind a brace",
    upstream: bytes((streamed) => whole(streamed ? event("a") : COMPLETION.slice(0, -1), typeOf(streamed))),
    // The client's own parser sees it.
    whole: { met: { raised: "SyntaxError" }, asked: [1, 1] },
    streamed: cut(),
  },
  {
    name: "ends properly, without a finish reason or `[DONE]`",
    upstream: bytes((streamed) => ended(streamed, streamed ? event("a") + event("b") : COMPLETION)),
    whole: complete,
    streamed: cut(),
  },
  {
    name: "falls silent within its answer",
    upstream: bytes((streamed) => begun(streamed, bodyOf(streamed).slice(0, -30))),
    isSilent: true,
    whole: late,
    streamed: cut("upstream_timeout"),
  },
  {
    name: "sends one byte at a time, each in time",
    upstream: (socket, { streamed }) => {
      const all = usualBytes(streamed);
      let at = 0;
      const next = () => {
        at += 1;
        if (at <= all.length) socket.write(all.subarray(at - 1, at), () => setImmediate(next));
      };
      next();
    },
    ...both(complete),
  },
];
