import type { ChangeAuthor } from "#platform/http/exchange.ts";
import type { Secret } from "#platform/lib/secret.ts";

export interface ResealReport {
  readonly resealed: number;
  readonly skipped: number;
  readonly failed: readonly { readonly table: string; readonly id: string }[];
}

export interface ServerKey {
  status(): { initialized: boolean; unlocked: boolean };
  initialize(
    key: Secret,
    options: { recovery: boolean; by: ChangeAuthor },
  ): Promise<{ recoveryKey: Secret | undefined }>;
  unlock(key: Secret, by: ChangeAuthor): Promise<void>;
  rotate(keys: { current: Secret; next: Secret }, by: ChangeAuthor): Promise<ResealReport>;
  lock(by: ChangeAuthor): Promise<void>;
  revokeRecovery(by: ChangeAuthor): Promise<void>;
  resealProgress(): { running: boolean; done: number; total: number };
}
