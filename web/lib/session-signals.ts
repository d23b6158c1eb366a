/** What any call may learn of the session, whoever made it. */
export type SessionSignal = "locked" | "signed_out" | "password_change_required";

const listeners = new Set<(signal: SessionSignal) => void>();
let askAgain: () => Promise<boolean> = async () => false;
let asking: Promise<boolean> | null = null;

/** Tells everyone who listens. */
export function signal(what: SessionSignal): void {
  for (const listener of listeners) listener(what);
}

/** Hears of every signal until what it gives is called. */
export function onSignal(listener: (signal: SessionSignal) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Names who asks for the password again; he gives false where it was not given. */
export function askPasswordBy(ask: () => Promise<boolean>): void {
  askAgain = ask;
}

/** Asks for the password again, once for all calls that want it at the same time. */
export function passwordAgain(): Promise<boolean> {
  asking ??= askAgain().finally(() => {
    asking = null;
  });
  return asking;
}
