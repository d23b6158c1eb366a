import { allowsSome, permissionSets, setsNamed } from "#gates/access/index.ts";
import { quoted } from "#platform/config/quoted.ts";
import type { Resource } from "#platform/config/resources.ts";
import {
  ENTRY_WORDS,
  type HttpServerFields,
  type httpServerKind,
  isSecure,
  placesOf,
  remotePlace,
} from "./http-server.ts";
import { listOf } from "./identity.ts";
import { clash, type ListenPlace, lacksPort } from "./listen-addr.ts";
import { entryFault, type Referred, setFault } from "./references.ts";

type HttpServer = Resource<(typeof httpServerKind)["whole"]["_output"]>;

/** What nobody may do without a credential, whatever a permission set says. */
const NEVER_ANONYMOUS = ["settings.manage", "users.manage", "backup.create"] as const;

/** What listeners say that fits neither each other nor the rest of the file. */
export function checkHttpServers(servers: readonly HttpServer[], referred: Referred): void {
  for (const server of servers) {
    checkRemote(server);
    checkEntry(server, referred);
    checkAnonymous(server, referred);
  }
  checkPlaces(servers);
}

function checkRemote({ given, wrong, report }: HttpServer): void {
  const remote = remotePlace(given);
  if (remote === undefined) return;
  const isPlain = !wrong.has("tls") && !isSecure(given);
  if (isPlain && given.allow_plain_http !== true)
    report(
      remote.path,
      "this would be plain HTTP beyond this machine; write tls: auto, or a certificate, or allow_plain_http: true",
    );
  else if (isPlain && listOf(given.listen_addr ?? []).some(lacksPort))
    report(remote.path, "plain HTTP beyond this machine has no port of its own; write ADDRESS:PORT");
  if (given.auth === null && given.allow_unauthenticated_remote !== true)
    report(
      ["auth"],
      "auth: null would let everyone in from beyond this machine; listen on 127.0.0.1, or write allow_unauthenticated_remote: true",
    );
}

function checkEntry({ given, report }: HttpServer, referred: Referred): void {
  given.auth?.forEach((name, index) => {
    const fault = entryFault(name, ENTRY_WORDS, referred);
    if (fault !== undefined) report(["auth", index], fault);
  });
}

function checkAnonymous({ given, report }: HttpServer, referred: Referred): void {
  const name = given.anonymous_permissions;
  if (isClosed(given)) {
    if (name !== undefined)
      report(
        ["anonymous_permissions"],
        "this has no effect: auth lets nobody in without a credential",
        "key",
      );
    return;
  }
  const path = name === undefined ? ["auth"] : ["anonymous_permissions"];
  const wanted = name ?? "gateway";
  const fault = setFault(wanted, referred);
  if (fault !== undefined) return report(path, fault);
  const { sets } = permissionSets(referred.permissionSets);
  if (!sets.has(wanted)) return;
  const rights = setsNamed([wanted], sets);
  const forbidden = NEVER_ANONYMOUS.filter((action) => allowsSome(rights, action));
  if (forbidden.length > 0)
    report(
      path,
      `the set ${quoted(wanted)} holds ${forbidden.join(", ")}, which nobody has without a credential`,
    );
}

/** Whether everyone needs a credential; where `auth` is wrong, that is the problem to tell of. */
function isClosed({ auth }: HttpServerFields): boolean {
  return auth === undefined || (auth !== null && !auth.some((name) => name === "anonymous"));
}

function checkPlaces(servers: readonly HttpServer[]): void {
  const taken: { place: ListenPlace; name: string }[] = [];
  for (const { name, given, report } of servers) {
    const own = placesOf(given);
    for (const { place, path } of own) {
      const other = taken.find((before) => clash(before.place, place));
      taken.push({ place, name });
      if (other === undefined) continue;
      const who = other.name === name ? "this listener itself" : quoted(other.name);
      report(path, `${who === "this" ? "another listener" : who} already listens there`);
      // A text that stands for two addresses is one mistake.
      break;
    }
  }
}
