import { createSocket } from "node:dgram";
import { setTimeout as pause } from "node:timers/promises";

/**
 * `hear ADDRESS`, one of this machine: prints each packet of the group as `FROM BASE64`. `say ADDRESS:PORT TIMES PACKET…`: sends these, in base64,
 * from there to the group, so many times, then prints `said`. `hold 0.0.0.0`: has
 * the port to itself.
 */
const GROUP = "224.0.0.251";
const PORT = 5353;
const [mode, place = "", times = "1", ...packets] = process.argv.slice(2);
const [address = "", port = PORT] = place.split(":");
const socket = createSocket({ type: "udp4", reuseAddr: mode !== "hold" });
// Bound to its address it hears nothing of the group, and is known by that address.
socket.bind(Number(port), mode === "say" ? address : "0.0.0.0", async () => {
  if (mode === "hold") return void process.stdout.write("held\n");
  socket.setMulticastTTL(255);
  if (mode === "hear") {
    socket.addMembership(GROUP, address);
    socket.on("message", (bytes, from) =>
      process.stdout.write(`${from.address} ${bytes.toString("base64")}\n`),
    );
    process.stdout.write("hearing\n");
    return;
  }
  socket.setMulticastInterface(address);
  const send = (packet: string) =>
    new Promise((resolve) => socket.send(Buffer.from(packet, "base64"), PORT, GROUP, resolve));
  for (let round = 0; round < Number(times); round += 1) {
    for (const packet of packets) await send(packet);
    await pause(20);
  }
  process.stdout.write("said\n");
  socket.close();
});
