import { quoteForShell } from "#platform/config/shell-quote.ts";

/** What the settings are about. */
export interface Connection {
  /** `http://host:port`, without a slash at its end. */
  readonly url: string;
  /** `provider/model`. */
  readonly model: string;
  /** What stands where the key belongs; a key itself is never printed. */
  readonly key: string;
}

/** One program's settings. */
export interface Tool {
  readonly tool: string;
  readonly title: string;
  /** Which of the server's dialects it speaks. */
  readonly dialect: "openai" | "anthropic";
  /** Where the text goes. */
  readonly where: string;
  readonly text: (connection: Connection) => string;
}

/** The programs whose settings are known, in the order in which they are printed. */
export const TOOLS: readonly Tool[] = [
  {
    tool: "curl",
    title: "curl",
    dialect: "openai",
    where: "in any shell",
    text: ({ url, model, key }) => {
      const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] });
      return [
        `curl ${quoteForShell(`${url}/v1/chat/completions`)} \\`,
        `  -H ${quoteForShell(`Authorization: Bearer ${key}`)} -H 'Content-Type: application/json' \\`,
        `  -d ${quoteForShell(body)}`,
      ].join("\n");
    },
  },
  {
    tool: "openai-python",
    title: "OpenAI SDK for Python",
    dialect: "openai",
    where: "pip install openai",
    text: ({ url, model, key }) =>
      [
        "from openai import OpenAI",
        "",
        `client = OpenAI(base_url=${quoted(`${url}/v1`)}, api_key=${quoted(key)})`,
        "answer = client.chat.completions.create(",
        `    model=${quoted(model)},`,
        `    messages=[{"role": "user", "content": "Hello"}],`,
        ")",
        "print(answer.choices[0].message.content)",
      ].join("\n"),
  },
  {
    tool: "openai-js",
    title: "OpenAI SDK for JavaScript",
    dialect: "openai",
    where: "npm install openai; a file that ends in .mjs",
    text: ({ url, model, key }) =>
      [
        'import OpenAI from "openai";',
        "",
        `const client = new OpenAI({ baseURL: ${quoted(`${url}/v1`)}, apiKey: ${quoted(key)} });`,
        "const answer = await client.chat.completions.create({",
        `  model: ${quoted(model)},`,
        '  messages: [{ role: "user", content: "Hello" }],',
        "});",
        "console.log(answer.choices[0].message.content);",
      ].join("\n"),
  },
  {
    tool: "anthropic-python",
    title: "Anthropic SDK for Python",
    dialect: "anthropic",
    where: "pip install anthropic",
    text: ({ url, model, key }) =>
      [
        "from anthropic import Anthropic",
        "",
        `client = Anthropic(base_url=${quoted(url)}, api_key=${quoted(key)})`,
        "answer = client.messages.create(",
        `    model=${quoted(model)},`,
        "    max_tokens=1024,",
        `    messages=[{"role": "user", "content": "Hello"}],`,
        ")",
        "print(answer.content[0].text)",
      ].join("\n"),
  },
  {
    tool: "anthropic-js",
    title: "Anthropic SDK for JavaScript",
    dialect: "anthropic",
    where: "npm install @anthropic-ai/sdk; a file that ends in .mjs",
    text: ({ url, model, key }) =>
      [
        'import Anthropic from "@anthropic-ai/sdk";',
        "",
        `const client = new Anthropic({ baseURL: ${quoted(url)}, apiKey: ${quoted(key)} });`,
        "const answer = await client.messages.create({",
        `  model: ${quoted(model)},`,
        "  max_tokens: 1024,",
        '  messages: [{ role: "user", content: "Hello" }],',
        "});",
        "console.log(answer.content[0].text);",
      ].join("\n"),
  },
  {
    tool: "claude-code",
    title: "Claude Code",
    dialect: "anthropic",
    where: "in the shell that starts it",
    text: ({ url, model, key }) =>
      [
        "unset ANTHROPIC_API_KEY",
        ...exports({ ANTHROPIC_BASE_URL: url, ANTHROPIC_AUTH_TOKEN: key, ANTHROPIC_MODEL: model }),
        "claude",
      ].join("\n"),
  },
  {
    tool: "cursor",
    title: "Cursor",
    dialect: "openai",
    where:
      "Settings > Models; Cursor's own servers send the requests, so the address must be reachable for them",
    text: ({ url, model, key }) =>
      [
        `API Keys > OpenAI API Key:            ${key}`,
        `API Keys > Override OpenAI Base URL:  ${url}/v1`,
        `Add Custom Model:                     ${model}`,
      ].join("\n"),
  },
  {
    tool: "continue",
    title: "Continue",
    dialect: "openai",
    where: "~/.continue/config.yaml",
    text: ({ url, model, key }) =>
      [
        "name: Claviger",
        "version: 1.0.0",
        "schema: v1",
        "models:",
        `  - name: ${quoted(model)}`,
        "    provider: openai",
        `    model: ${quoted(model)}`,
        `    apiBase: ${quoted(`${url}/v1`)}`,
        `    apiKey: ${quoted(key)}`,
        "    roles: [chat, edit, apply]",
      ].join("\n"),
  },
  {
    tool: "aider",
    title: "aider",
    dialect: "openai",
    where: "in the shell that starts it; openai/ names the protocol to aider and is not sent",
    text: ({ url, model, key }) =>
      [
        ...exports({ OPENAI_API_BASE: `${url}/v1`, OPENAI_API_KEY: key }),
        `aider --model ${quoteForShell(`openai/${model}`)}`,
      ].join("\n"),
  },
  {
    tool: "open-webui",
    title: "Open WebUI",
    dialect: "openai",
    where: "in the shell that starts it, or under Admin Settings > Connections > OpenAI API",
    text: ({ url, key }) =>
      [...exports({ OPENAI_API_BASE_URL: `${url}/v1`, OPENAI_API_KEY: key }), "open-webui serve"].join("\n"),
  },
];

/** Settings of a provider of kind `http`: any path below its own. */
export function httpExample(connection: Connection, provider: string): string {
  const url = `${connection.url}/x/${provider}/`;
  return `curl -H ${quoteForShell(`Authorization: Bearer ${connection.key}`)} ${quoteForShell(url)}`;
}

/** JSON's strings are those of JavaScript, Python and YAML too. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

function exports(variables: Readonly<Record<string, string>>): string[] {
  return Object.entries(variables).map(([name, value]) => `export ${name}=${quoteForShell(value)}`);
}
