import { Autocomplete, Button, Group, PasswordInput, Radio, Stack, Text, Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlayerPlay, IconPlayerStop } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Section } from "#components/section.tsx";
import { Snippet } from "#components/snippet.tsx";
import { useMe } from "#features/session/me.ts";
import { mayDo } from "#lib/permissions.ts";
import { findModels } from "./api/find-models.ts";
import { curlFor, type Question } from "./gateway-request.ts";

const TYPING_MS = 250;
/** It belongs to the browser alone: no state of the page holds what is in it. */
const KEY_FIELD = "key";

/** What is asked, of which model, and with which key: null stands for one made for this run. */
export function QuestionSection(props: {
  readonly model: string;
  readonly isRunning: boolean;
  readonly onAsk: (question: Question, key: string | null) => void;
  readonly onStop: () => void;
}): ReactNode {
  const [model, setModel] = useState(props.model);
  const [message, setMessage] = useState("Say hello in five words.");
  const mayIssue = mayDo(useMe(), "keys.manage");
  const [keyFrom, setKeyFrom] = useState(mayIssue ? "made" : "pasted");
  const [search] = useDebouncedValue(model, TYPING_MS);
  const { data: found = [] } = useQuery(findModels(search));
  const dialect = found.find(({ id }) => id === model)?.dialect ?? "openai";
  const question: Question = { model, dialect, message };
  return (
    <Section title="The request">
      <form
        autoComplete="off"
        onSubmit={(event) => {
          event.preventDefault();
          const pasted = new FormData(event.currentTarget).get(KEY_FIELD);
          if (!props.isRunning) props.onAsk(question, pasted === null ? null : String(pasted).trim());
        }}
      >
        <Stack>
          <Autocomplete
            label="Model"
            description="provider/model; type a part of it"
            placeholder="openai/…"
            required
            data={found.map(({ id }) => id)}
            value={model}
            onChange={setModel}
          />
          <Textarea
            label="Message"
            required
            autosize
            minRows={3}
            maxRows={12}
            value={message}
            onChange={(event) => setMessage(event.currentTarget.value)}
          />
          <Radio.Group label="Key" value={keyFrom} onChange={setKeyFrom}>
            <Stack gap="xs" mt={4}>
              <Radio
                value="made"
                label="A key for this test"
                description={
                  mayIssue
                    ? "For this model alone; revoked when the answer ends, and at the latest after 15 minutes"
                    : "You may not issue keys: this needs the permission keys.manage"
                }
                disabled={!mayIssue}
              />
              <Radio
                value="pasted"
                label="A key I have"
                description="Kept in this tab alone, until the page is left"
              />
            </Stack>
          </Radio.Group>
          {keyFrom === "pasted" && (
            <PasswordInput
              label="API key"
              required
              autoComplete="off"
              visibilityToggleButtonProps={{ "aria-label": "Show the key" }}
              name={KEY_FIELD}
            />
          )}
          <Group>
            <Button
              type="submit"
              loading={props.isRunning}
              leftSection={<IconPlayerPlay size={16} aria-hidden />}
            >
              Send
            </Button>
            <Button
              variant="default"
              disabled={!props.isRunning}
              leftSection={<IconPlayerStop size={16} aria-hidden />}
              onClick={props.onStop}
            >
              Stop
            </Button>
          </Group>
          {model !== "" && (
            <Stack gap={4}>
              <Text size="sm" c="dimmed">
                The same at a terminal, with a key of yours in CLAVIGER_KEY:
              </Text>
              <Snippet text={curlFor(question)} label="The same request with curl" />
            </Stack>
          )}
        </Stack>
      </form>
    </Section>
  );
}
