import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  APICallError,
  type EmbeddingModel,
  embed,
  generateText,
  jsonSchema,
  type LanguageModel,
  RetryError,
  streamText,
  type ToolSet,
} from "ai";
import { type Ask, type Client, className, installed, TOOL } from "./client.ts";

const tools: ToolSet = {
  [TOOL.name]: { description: TOOL.description, inputSchema: jsonSchema(TOOL.schema) },
};
const optionsOf = (ask: Ask) => ({
  prompt: "hello",
  maxRetries: ask.maxRetries ?? 0,
  ...(ask.signal !== undefined && { abortSignal: ask.signal }),
});

interface Models {
  readonly name: string;
  readonly dialect: Client["dialect"];
  readonly model: (ask: Ask) => LanguageModel;
  readonly embedding?: (ask: Ask) => EmbeddingModel;
}

function clientWith({ name, dialect, model, embedding }: Models): Client {
  return {
    name: `${installed("ai")} with ${name}`,
    dialect,
    chat: async (ask) => (await generateText({ model: model(ask), ...optionsOf(ask) })).text,
    async *stream(ask) {
      const onError = () => undefined;
      for await (const part of streamText({ model: model(ask), onError, ...optionsOf(ask) }).stream) {
        if (part.type === "error") throw part.error;
        if (part.type === "text-delta") yield part.text;
      }
    },
    async tool(ask) {
      const { toolCalls } = await generateText({ model: model(ask), tools, ...optionsOf(ask) });
      return { name: toolCalls[0]?.toolName ?? "", input: toolCalls[0]?.input };
    },
    async streamedTool(ask) {
      const toolCalls = await streamText({ model: model(ask), tools, ...optionsOf(ask) }).toolCalls;
      return { name: toolCalls[0]?.toolName ?? "", input: toolCalls[0]?.input };
    },
    ...(embedding !== undefined && {
      embed: async (ask: Ask) =>
        (await embed({ model: embedding(ask), value: "hello", maxRetries: 0 })).embedding,
    }),
    kindOf: (error) => {
      const last = RetryError.isInstance(error) ? error.lastError : error;
      return APICallError.isInstance(last) ? `APICallError ${last.statusCode}` : className(last);
    },
    errors: {
      401: "APICallError 401",
      403: "APICallError 403",
      404: "APICallError 404",
      429: "APICallError 429",
      500: "APICallError 500",
    },
    retries: true,
    obeysShouldRetry: false,
  };
}

const settings = ({ url, key }: Ask) => ({ baseURL: `${url}/v1`, apiKey: key });

/** The Vercel AI SDK with the providers that can be pointed here. */
export const aiSdk: readonly Client[] = [
  clientWith({
    name: `${installed("@ai-sdk/openai")} (responses)`,
    dialect: "openai",
    model: (ask) => createOpenAI(settings(ask)).responses(ask.model),
    embedding: (ask) => createOpenAI(settings(ask)).embedding(ask.model),
  }),
  clientWith({
    name: `${installed("@ai-sdk/openai")} (chat)`,
    dialect: "openai",
    model: (ask) => createOpenAI(settings(ask)).chat(ask.model),
    embedding: (ask) => createOpenAI(settings(ask)).embedding(ask.model),
  }),
  clientWith({
    name: installed("@ai-sdk/openai-compatible"),
    dialect: "openai",
    model: (ask) => createOpenAICompatible({ name: "claviger", ...settings(ask) }).chatModel(ask.model),
    embedding: (ask) =>
      createOpenAICompatible({ name: "claviger", ...settings(ask) }).embeddingModel(ask.model),
  }),
  clientWith({
    name: installed("@ai-sdk/anthropic"),
    dialect: "anthropic",
    model: (ask) => createAnthropic(settings(ask)).messages(ask.model),
  }),
];
