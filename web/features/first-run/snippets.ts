/** What a tool is pointed at: the address of this server, and a model as programs name it. */
export interface Connection {
  readonly url: string;
  readonly model: string;
}

/** How programs are told, in the order in which they are offered; the key is a variable of the shell. */
export const SNIPPETS = [
  {
    tool: "curl",
    label: "curl",
    text: ({ url, model }: Connection) =>
      [
        `curl ${url}/v1/chat/completions \\`,
        '  -H "Authorization: Bearer $CLAVIGER_KEY" \\',
        '  -H "Content-Type: application/json" \\',
        `  -d '{"model": ${JSON.stringify(model)}, "messages": [{"role": "user", "content": "Hello"}]}'`,
      ].join("\n"),
  },
  {
    tool: "openai",
    label: "OpenAI SDK",
    text: ({ url, model }: Connection) =>
      [
        "import os",
        "from openai import OpenAI",
        "",
        `client = OpenAI(base_url=${JSON.stringify(`${url}/v1`)}, api_key=os.environ["CLAVIGER_KEY"])`,
        "answer = client.chat.completions.create(",
        `    model=${JSON.stringify(model)},`,
        '    messages=[{"role": "user", "content": "Hello"}],',
        ")",
        "print(answer.choices[0].message.content)",
      ].join("\n"),
  },
  {
    tool: "anthropic",
    label: "Anthropic SDK",
    text: ({ url, model }: Connection) =>
      [
        "import os",
        "from anthropic import Anthropic",
        "",
        `client = Anthropic(base_url=${JSON.stringify(url)}, api_key=os.environ["CLAVIGER_KEY"])`,
        "answer = client.messages.create(",
        `    model=${JSON.stringify(model)},`,
        "    max_tokens=1024,",
        '    messages=[{"role": "user", "content": "Hello"}],',
        ")",
        "print(answer.content[0].text)",
      ].join("\n"),
  },
  {
    tool: "claude-code",
    label: "Claude Code",
    text: ({ url, model }: Connection) =>
      [
        "unset ANTHROPIC_API_KEY",
        `export ANTHROPIC_BASE_URL=${url}`,
        "export ANTHROPIC_AUTH_TOKEN=$CLAVIGER_KEY",
        `export ANTHROPIC_MODEL=${model}`,
        "claude",
      ].join("\n"),
  },
  { tool: "connect", label: "Others", text: () => "claviger connect" },
] as const;

export type ToolName = (typeof SNIPPETS)[number]["tool"];
