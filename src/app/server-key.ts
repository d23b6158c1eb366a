import type { EventBus } from "#platform/events/event-bus.ts";
import { AppError } from "#platform/lib/error.ts";
import type { SharedFlag } from "#platform/threads/shared-flag.ts";
import type { EventStreams } from "#services/control/index.ts";
import type { Gateway } from "#services/gateway/index.ts";
import type { Seal } from "#vault/seal/index.ts";
import type { Workers } from "./workers/workers.ts";

interface Parts {
  readonly seal: Seal;
  /** Raised while locked, for all threads. */
  readonly lock: SharedFlag;
  readonly workers: Pick<Workers, "tell" | "unlocked">;
  readonly gateway: Pick<Gateway, "endAll" | "unlocked">;
  readonly bus: EventBus;
  readonly streams: Pick<EventStreams, "endAll">;
}

/** Has everything that runs follow the seal: what is shut while it is locked, and what begins anew when it is unlocked. */
export function followSeal(parts: Parts): void {
  const { seal, lock, workers, gateway, bus, streams } = parts;
  if (seal.isLocked()) lock.raise();
  seal.onLock(() => {
    lock.raise();
    workers.tell({ kind: "locked" });
    gateway.endAll(new AppError("server_locked"));
    bus.publish("seal.locked", {});
    streams.endAll("the server is locked");
  });
  seal.onUnlock(async () => {
    gateway.unlocked();
    // A thread that is still to drop what it held would end the answers of those who come first.
    await workers.unlocked();
    if (seal.isLocked()) return;
    lock.lower();
    bus.publish("seal.unlocked", {});
  });
}

/** Tells of the re-sealing of the stored secrets: to be called now and then, and each call tells once. */
export function tellsOfReseal({
  seal,
  bus,
}: {
  readonly seal: Pick<Seal, "resealProgress">;
  readonly bus: EventBus;
}): () => void {
  let told = "";
  return () => {
    const progress = seal.resealProgress();
    const now = JSON.stringify(progress);
    const isNews = progress.running ? now !== told : told !== "";
    told = progress.running ? now : "";
    if (isNews) bus.publish("seal.reseal", { ...progress });
  };
}
