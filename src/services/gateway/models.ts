import { ANSWER_HEADERS } from "#platform/http/gateway-headers.ts";
import { authorise } from "#platform/http/pipeline.ts";
import { AppError } from "#platform/lib/error.ts";
import type { GatewayCall, GatewayParts } from "./call.ts";
import type { ModelEntry } from "./catalogue.ts";

/** Claude Code gives a list of models 3 s. */
export const LIST_WAIT_MS = 2_000;

/** The models the caller may read, in the order of their providers. */
export async function answerModels(parts: GatewayParts, call: GatewayCall): Promise<void> {
  authorise(parts.gates, call.exchange, "models.read");
  await parts.upstream.catalogue.refresh(LIST_WAIT_MS);
  const query = new URL(call.request.url ?? "", "http://unused").searchParams;
  sendJson(call, call.route.dialect.modelList(offeredTo(parts, call), query));
}

/** One model, by `provider/model` or bare; one the caller may not read does not exist for him. */
export async function answerModel(parts: GatewayParts, call: GatewayCall): Promise<void> {
  authorise(parts.gates, call.exchange, "models.read");
  const { catalogue } = parts.upstream;
  const { usage: dialect } = call.route.dialect;
  const wanted = decode(call.route.rest);
  const known = catalogue.resolve(wanted, dialect);
  if (known === undefined || !catalogue.lists(known)) await catalogue.refresh(LIST_WAIT_MS);
  const target = catalogue.resolve(wanted, dialect);
  const id = target === undefined ? "" : `${target.provider.name}/${target.model}`;
  const offered = offeredTo(parts, call);
  const entry = offered.find((one) => one.id === wanted) ?? offered.find((one) => one.id === id);
  if (entry === undefined) throw new AppError("model_not_found");
  call.target = target;
  sendJson(call, call.route.dialect.model(entry));
}

/**
 * In OpenAI's shape, which tools of every sort ask for, all models by their whole names. In Anthropic's those that can
 * be called in it, each also by its bare name where that leads to it: Claude Code offers what it is listed and knows a
 * model by a name that begins with `claude`.
 */
function offeredTo(parts: GatewayParts, call: GatewayCall): ModelEntry[] {
  const visible = visibleTo(parts, call);
  if (call.route.dialect.usage === "openai") return visible;
  return visible
    .filter(({ dialect }) => dialect === "anthropic")
    .flatMap((entry) => (leadsTo(parts, entry) ? [{ ...entry, id: entry.model }, entry] : [entry]));
}

function leadsTo(parts: GatewayParts, entry: ModelEntry): boolean {
  const target = parts.upstream.catalogue.resolve(entry.model, "anthropic");
  return target?.provider.name === entry.provider && target.model === entry.model;
}

function visibleTo(parts: GatewayParts, call: GatewayCall): ModelEntry[] {
  const { caller } = call.exchange;
  if (caller === undefined) return [];
  return parts.upstream.catalogue
    .list()
    .filter((entry) => parts.gates.authorizer.allows(caller, "models.read", entry.id));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AppError("bad_request", "The path is not valid percent-encoding.");
  }
}

function sendJson(call: GatewayCall, value: object): void {
  const headers = ["content-type", "application/json", ...Object.entries(ANSWER_HEADERS).flat()];
  call.answer.sendWhole(200, headers, Buffer.from(JSON.stringify(value)));
}
