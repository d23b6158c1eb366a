import type { Credentials } from "#vault/credentials/index.ts";
import {
  checkDeclaredProviders,
  type DeclaredProvider,
  type DeclaredProviderProblem,
  DeclaredProviderProblems,
} from "./declared-provider.ts";
import { parseBaseUrl } from "./kind.ts";
import { changedOptions } from "./options.ts";
import type { ChangeParts } from "./provider-changes.ts";
import type { Provider } from "./providers.ts";

/** What was read for the providers of the file. */
type ReadPools = Awaited<ReturnType<Credentials["declared"]["read"]>>;

/**
 * Providers of the configuration file with what was read for them; those that are as they were are the same objects.
 * Throws DeclaredProviderProblems. Nothing is served of it yet.
 */
export async function prepareDeclared(
  parts: ChangeParts,
  list: readonly DeclaredProvider[],
  present: { readonly declared: readonly Provider[]; readonly stored: readonly Provider[] },
): Promise<{ readonly providers: readonly Provider[]; readonly pools: ReadPools }> {
  const problems = [...(await checkDeclaredProviders(list, parts.verdict)), ...clashes(list, present.stored)];
  if (problems.length > 0) throw new DeclaredProviderProblems(problems);
  const { declared: credentials } = parts.credentials;
  const made = list.map((wanted) => ({ wanted, provider: providerOf(wanted, parts.clock.now()) }));
  const pools = await credentials.read(
    made.map(({ wanted, provider: { id, baseUrl, options } }) => ({
      providerId: id,
      to: { origin: baseUrl.origin, proxy: options.proxy },
      sources: wanted.credentials,
    })),
  );
  await parts.database.transaction((query) => credentials.bind(query, pools));
  const providers = made.map(({ provider }) => {
    const before = present.declared.find(({ id }) => id === provider.id);
    if (before === undefined) return provider;
    const isSame = contentOf(before) === contentOf(provider) && credentials.isSameIn(pools, provider.id);
    return isSame ? before : { ...provider, createdAt: before.createdAt };
  });
  return { providers, pools };
}

function clashes(
  list: readonly DeclaredProvider[],
  stored: readonly Provider[],
): readonly DeclaredProviderProblem[] {
  return list.flatMap(({ name }) => {
    const other = stored.find((provider) => provider.name === name);
    if (other === undefined) return [];
    const message = `the provider ${name} of the file has the name of the provider ${name} (${other.id}) of the store; rename one, or remove the other with: claviger provider remove ${name}`;
    return [{ path: [name], message }];
  });
}

function providerOf({ name, kind, baseUrl, options }: DeclaredProvider, now: number): Provider {
  return {
    // Of its name, so that it is the same one after a restart; no id of the store has a second underscore.
    id: `prov_file_${name}`,
    name,
    kind,
    baseUrl: parseBaseUrl(kind, baseUrl),
    options: changedOptions(kind, {}, options),
    createdAt: now,
    source: "file",
  };
}

function contentOf({ kind, baseUrl, options }: Provider): string {
  return JSON.stringify([kind, baseUrl.href, options]);
}
