import { expect, test } from "vitest";
import { listeningInodes } from "./address-owner.ts";

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:20F9 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000000000000000
   1: 0100007F:20F9 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0000000000000000
   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000000000000000
   3: 0200007F:20F9 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4714 1 0000000000000000
`;
const TABLE6 = `  sl  local_address                         remote_address                        st
   0: 00000000000000000000000001000000:20F9 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 5711 1
   1: 00000000000000000000000000000000:20FA 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 5712 1
`;

test.each<[string, string, string, number, string[]]>([
  ["an address", TABLE, "127.0.0.1", 8441, ["4711"]],
  ["all addresses", TABLE, "127.0.0.1", 80, ["4713"]],
  ["another address", TABLE, "127.0.0.2", 8441, ["4714"]],
  ["nobody's address", TABLE, "127.0.0.3", 8441, []],
  ["nobody's port", TABLE, "127.0.0.1", 8442, []],
  ["an IPv6 address", TABLE6, "::1", 8441, ["5711"]],
  ["all IPv6 addresses", TABLE6, "fd00::1", 8442, ["5712"]],
  ["nothing", "", "127.0.0.1", 8441, []],
])("[N9] who listens on %s", (_what, table, host, port, inodes) => {
  expect(listeningInodes(table, host, port)).toEqual(inodes);
});
