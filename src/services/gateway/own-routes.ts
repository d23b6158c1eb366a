import type { RouteContract } from "#platform/http/route.ts";
import { anthropic } from "./dialects/anthropic.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { openai } from "./dialects/openai.ts";
import type { PublishedPath } from "./http-api/published-path.ts";
import { chatEnding, messageEnding, type StreamEnding, severalTyped, typedEnding } from "./stream-ending.ts";

type BodyForm = "json" | "multipart";

/** How requests of one endpoint are passed on. */
export interface Forwarding {
  readonly kind: "forward";
  readonly bodies: readonly BodyForm[];
  readonly ending: StreamEnding;
  /** A client that asks for a stream here reads nothing but events. */
  readonly mustStream: boolean;
  /** An answer here that is no stream is one JSON object. */
  readonly jsonOnly: boolean;
  /** A stream here tells its usage only when `stream_options` asks for it. */
  readonly tellsUsageWhenAsked: boolean;
  /** Queries of the value `true` that go on to the upstream; every other is dropped. */
  readonly flags: readonly string[];
}

/** One route of the gateway; a last segment in braces stands for one the client chooses. */
export interface GatewayRoute {
  readonly contract: RouteContract;
  readonly dialect: Dialect;
  readonly work:
    | Forwarding
    | { readonly kind: "models" }
    | { readonly kind: "model" }
    | { readonly kind: "http-api"; readonly path: PublishedPath };
}

const contract = (
  method: "GET" | "POST",
  path: string,
  action: string,
  described: NonNullable<RouteContract["described"]>,
): RouteContract => ({ method, path, action, openWhileLocked: false, family: "gateway", described });
const forwarding = (
  path: string,
  how: Pick<Forwarding, "bodies" | "ending"> & Partial<Forwarding> & { readonly summary: string },
  dialect: Dialect = openai,
): GatewayRoute => {
  const { summary, ...forward } = how;
  const bodies = how.bodies.map((form) => MEDIA_TYPES[form]);
  const dialects = [dialect === openai ? "openai" : "anthropic"] as const;
  return {
    contract: contract("POST", path, "gateway.use", { summary, dialects, bodies }),
    dialect,
    work: {
      kind: "forward",
      mustStream: false,
      jsonOnly: how.mustStream === true,
      tellsUsageWhenAsked: false,
      flags: [],
      ...forward,
    },
  };
};

const MEDIA_TYPES = { json: "application/json", multipart: "multipart/form-data" } as const;
const EITHER_DIALECT = ["openai", "anthropic"] as const;
const JSON_ONLY: readonly BodyForm[] = ["json"];
const JSON_OR_FORM: readonly BodyForm[] = ["json", "multipart"];
/** https://platform.openai.com/docs/api-reference/responses-streaming: the three ways a response ends. */
const responsesEnding = typedEnding(/^response\.(completed|incomplete|failed)$/, "response.");
/** `image_generation.completed`, `speech.audio.done`, `transcript.text.done` and their like. */
const MEDIA_ENDS = /\.(completed|done)$/;
const mediaEnding: StreamEnding = {
  ...typedEnding(MEDIA_ENDS, ".completed|.done"),
  isLast: chatEnding.isLast,
};
/** Of several images each has one. */
const imagesEnding: StreamEnding = {
  ...mediaEnding,
  ofSeveral: (count) => (count > 1 ? severalTyped(mediaEnding, MEDIA_ENDS, count) : undefined),
};

/** Claude Code and older SDKs of Anthropic append `?beta=true`; the betas themselves are in a header. */
const MESSAGE_FLAGS = ["beta"];

/** Every route with a path of its own: dialects and paths are entries here, not code. */
export const GATEWAY_ROUTES: readonly GatewayRoute[] = [
  forwarding("/v1/chat/completions", {
    summary: "Have a model complete a chat.",
    bodies: JSON_ONLY,
    ending: chatEnding,
    mustStream: true,
    tellsUsageWhenAsked: true,
  }),
  forwarding("/v1/responses", {
    summary: "Have a model answer.",
    bodies: JSON_ONLY,
    ending: responsesEnding,
    mustStream: true,
  }),
  forwarding("/v1/embeddings", {
    summary: "Turn text into vectors.",
    bodies: JSON_ONLY,
    ending: chatEnding,
    jsonOnly: true,
  }),
  forwarding("/v1/images/{operation}", {
    summary: "Make or change images.",
    bodies: JSON_OR_FORM,
    ending: imagesEnding,
    jsonOnly: true,
  }),
  forwarding("/v1/audio/{operation}", {
    summary: "Speak, transcribe or translate.",
    bodies: JSON_OR_FORM,
    ending: mediaEnding,
  }),
  forwarding(
    "/v1/messages",
    {
      summary: "Have a model answer a message.",
      bodies: JSON_ONLY,
      ending: messageEnding,
      mustStream: true,
      flags: MESSAGE_FLAGS,
    },
    anthropic,
  ),
  forwarding(
    "/v1/messages/count_tokens",
    {
      summary: "Count the tokens of a message.",
      bodies: JSON_ONLY,
      ending: messageEnding,
      jsonOnly: true,
      flags: MESSAGE_FLAGS,
    },
    anthropic,
  ),
  {
    contract: contract("GET", "/v1/models", "models.read", {
      summary: "List the models the caller may use.",
      dialects: EITHER_DIALECT,
      bodies: [],
    }),
    dialect: openai,
    work: { kind: "models" },
  },
  {
    contract: contract("GET", "/v1/models/{model}", "models.read", {
      summary: "Show a model.",
      dialects: EITHER_DIALECT,
      bodies: [],
    }),
    dialect: openai,
    work: { kind: "model" },
  },
];
