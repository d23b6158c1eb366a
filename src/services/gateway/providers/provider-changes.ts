import type { AuditEntry, AuditRecorder } from "#gates/audit/index.ts";
import type { Verdict } from "#platform/egress/verdict.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { callerId } from "#platform/http/ports.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import { newId } from "#platform/lib/id.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Database } from "#platform/storage/database.ts";
import type { Credentials } from "#vault/credentials/index.ts";
import { parseBaseUrl } from "./kind.ts";
import { changedOptions, storedOptions } from "./options.ts";
import type { NewProvider, Provider, ProviderChange } from "./providers.ts";
import { deleteRow, insertRow, nextPosition, providerByName, updateRow } from "./store.ts";

/** What a change of the providers needs. */
export interface ChangeParts {
  readonly database: Database;
  readonly credentials: Credentials;
  readonly audit: AuditRecorder;
  /** Whether this server would connect to a URL now. */
  readonly verdict: (url: string) => Promise<Verdict>;
  readonly clock: Clock;
  readonly random: Random;
}

/** Stores a new provider with its credentials and gives its id. Throws AppError `bad_request`, `base_url_denied`, `conflict`. */
export async function insertProvider(
  parts: ChangeParts,
  wanted: NewProvider,
  by: ChangeAuthor,
): Promise<string> {
  const baseUrl = parseBaseUrl(wanted.kind, wanted.baseUrl);
  const options = changedOptions(wanted.kind, {}, wanted.options ?? {});
  await judge(parts, wanted.baseUrl ?? baseUrl.href, options.proxy);
  const id = newId("prov", parts.random);
  const now = parts.clock.now();
  await parts.database.transaction(async (query) => {
    if ((await providerByName(query, wanted.name)) !== undefined)
      throw new AppError("conflict", `A provider named ${wanted.name} exists.`);
    const position = await nextPosition(query);
    await insertRow(query, {
      id,
      name: wanted.name,
      kind: wanted.kind,
      base_url: baseUrl.href,
      options: JSON.stringify(options),
      position,
      created_at: now,
      updated_at: now,
    });
    await parts.credentials.replace(
      query,
      { providerId: id, origin: baseUrl.origin },
      wanted.credentials ?? [],
    );
    await parts.audit.append(query, changeEntry(by, "provider.create", wanted.name));
  });
  return id;
}

/**
 * Stores a change of a provider and gives its id. Throws AppError `bad_request` (another origin without new
 * credentials too), `base_url_denied`, or `not_found` when it was removed meanwhile.
 */
export async function updateProvider(
  parts: ChangeParts,
  provider: Provider,
  change: ProviderChange,
  by: ChangeAuthor,
): Promise<string> {
  if (change.baseUrl !== undefined) parseBaseUrl(provider.kind, change.baseUrl);
  await judge(parts, change.baseUrl, change.options?.proxy ?? undefined);
  await parts.database.transaction(async (query) => {
    // Read here, so that of two changes at once the later sees the origin the earlier has set.
    const stored = await providerByName(query, provider.name);
    if (stored?.id !== provider.id)
      throw new AppError("not_found", `There is no provider named ${provider.name}.`);
    const present = new URL(stored.base_url);
    const baseUrl = change.baseUrl === undefined ? present : parseBaseUrl(provider.kind, change.baseUrl);
    if (baseUrl.origin !== present.origin && change.credentials === undefined)
      throw new AppError("bad_request", OTHER_ORIGIN);
    const before = storedOptions(stored.options);
    const options = changedOptions(provider.kind, before, change.options ?? {});
    const isNewProxy = options.proxy !== undefined && options.proxy !== before.proxy;
    if (isNewProxy && change.credentials === undefined) throw new AppError("bad_request", OTHER_PROXY);
    await updateRow(query, provider.id, {
      base_url: baseUrl.href,
      options: JSON.stringify(options),
      updated_at: parts.clock.now(),
    });
    if (change.credentials !== undefined) {
      await parts.credentials.replace(
        query,
        { providerId: provider.id, origin: baseUrl.origin },
        change.credentials,
      );
    }
    await parts.audit.append(query, changeEntry(by, "provider.change", provider.name));
  });
  return provider.id;
}

/** Removes a provider and its credentials. */
export async function removeProvider(
  parts: ChangeParts,
  provider: Provider,
  by: ChangeAuthor,
): Promise<void> {
  await parts.database.transaction(async (query) => {
    await deleteRow(query, provider.id);
    await parts.audit.append(query, changeEntry(by, "provider.remove", provider.name));
  });
}

const OTHER_ORIGIN =
  "A credential stays with the origin it was entered for: send new credentials with a base_url of another origin.";

const OTHER_PROXY =
  "A proxy is on the credential's way: send the credentials anew with another options.proxy.";

/** What a call would be denied is refused here already; the text is judged as it was given. Throws `base_url_denied`. */
async function judge({ verdict }: ChangeParts, ...urls: readonly (string | undefined)[]): Promise<void> {
  for (const url of urls) {
    if (url === undefined) continue;
    const judged = await verdict(url);
    if (!judged.allowed)
      throw new AppError("base_url_denied", judged.reason, { detail: `rule: ${judged.rule}` });
  }
}

/** A change of this room in the audit log. */
export function changeEntry(by: ChangeAuthor, action: string, target: string): AuditEntry {
  return {
    actor: callerId(by.principal),
    action,
    target,
    outcome: "success",
    address: by.address,
    requestId: by.requestId,
    count: 1,
  };
}
