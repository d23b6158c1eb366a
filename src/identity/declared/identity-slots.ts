import { AppError } from "#platform/lib/error.ts";
import type { DeclaredIdentity, IdentityMemory, IdentityRecord } from "./identity.ts";

/**
 * Gives each identity its slot, by its id: one that is dropped from the file and comes back has the same, and what it
 * used of its limits with it. For the one thread that reads the file.
 */
export class IdentitySlots {
  readonly #memory: Pick<IdentityMemory, "firstSlot" | "capacity">;
  readonly #slots = new Map<string, number>();

  constructor(memory: Pick<IdentityMemory, "firstSlot" | "capacity">) {
    this.#memory = memory;
  }

  /** Throws AppError `keys_full` when the process has had more different ids than there is room for; none is added then. */
  place(identities: readonly DeclaredIdentity[]): IdentityRecord[] {
    const added = identities.filter(({ id }) => !this.#slots.has(id));
    const { firstSlot, capacity } = this.#memory;
    if (this.#slots.size + added.length > capacity)
      throw new AppError(
        "keys_full",
        `Since its start this server has known ${this.#slots.size} identities, and has room for ${capacity}. Start it again.`,
      );
    for (const { id } of added) this.#slots.set(id, firstSlot + this.#slots.size);
    return identities.map((identity) => ({ ...identity, slot: this.slotOf(identity.id) ?? firstSlot }));
  }

  slotOf(id: string): number | undefined {
    return this.#slots.get(id);
  }
}
