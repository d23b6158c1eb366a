import { authorise } from "#platform/http/pipeline.ts";
import { AppError } from "#platform/lib/error.ts";
import type { GatewayCall, GatewayParts } from "./call.ts";
import type { ModelEntry } from "./catalogue.ts";
import { ANSWER_HEADERS } from "./headers.ts";

/** The models the caller may read, in the order of their providers. */
export async function answerModels(parts: GatewayParts, call: GatewayCall): Promise<void> {
  authorise(parts.gates, call.exchange, "models.read");
  await parts.upstream.catalogue.refresh();
  sendJson(call, call.route.dialect.modelList(visibleTo(parts, call)));
}

/** One model, by `provider/model` or bare; one the caller may not read does not exist for him. */
export async function answerModel(parts: GatewayParts, call: GatewayCall): Promise<void> {
  authorise(parts.gates, call.exchange, "models.read");
  const { catalogue } = parts.upstream;
  const wanted = decode(call.route.rest);
  if (!isListed(parts, wanted)) await catalogue.refresh();
  const target = catalogue.resolve(wanted);
  const id = target === undefined ? "" : `${target.provider.name}/${target.model}`;
  const entry = visibleTo(parts, call).find((candidate) => candidate.id === id);
  if (entry === undefined) throw new AppError("model_not_found");
  call.target = target;
  sendJson(call, call.route.dialect.model(entry));
}

function isListed(parts: GatewayParts, name: string): boolean {
  const target = parts.upstream.catalogue.resolve(name);
  return target !== undefined && parts.upstream.catalogue.lists(target);
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
