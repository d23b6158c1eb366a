import { Alert, Button, Checkbox, Group, PasswordInput, SimpleGrid, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ReactNode } from "react";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { Quantity } from "#components/quantity.tsx";
import { isProblem } from "#lib/api-problem.ts";
import { fileTime, saveFile } from "#lib/save-file.ts";
import { useTakeBackup } from "./api/take-backup.ts";

/** As short as the server takes one. */
const SHORTEST = 12;
const SHOW = { "aria-label": "Show the password" };

/** Takes a backup and has the browser save it; without a server key it needs a password. */
export function BackupForm(props: { readonly hasServerKey: boolean }): ReactNode {
  const take = useTakeBackup();
  const mustClose = !props.hasServerKey;
  const form = useForm({
    initialValues: { closes: mustClose, password: "", again: "", withConfig: false },
    validate: {
      password: (password, { closes }) =>
        closes && [...password].length < SHORTEST ? `A password has at least ${SHORTEST} characters` : null,
      again: (again, { closes, password }) => (closes && again !== password ? "The two differ" : null),
    },
  });
  const { closes } = form.values;
  const submit = form.onSubmit(({ password, withConfig }) =>
    take.mutate(
      { password: closes ? password : null, withConfig: closes && withConfig },
      {
        onSuccess: (file) => {
          saveFile(file, `claviger-${fileTime(new Date())}.backup`);
          form.setValues({ password: "", again: "" });
        },
        onError: (error) => {
          if (isProblem(error, "bad_request")) form.setFieldError("password", error.message);
        },
      },
    ),
  );
  return (
    <form onSubmit={submit}>
      <Stack>
        {mustClose && (
          <Alert variant="outline" color="yellow.8" title="No server key is set">
            Such a backup opens by itself, so it is made under a password only. Whoever has the file and the
            password has every stored credential.
          </Alert>
        )}
        {!mustClose && (
          <Checkbox
            label="Close it once more with a password"
            description="Without one, whoever has the file reads names, addresses and usage; the credentials stay sealed under the server key"
            {...form.getInputProps("closes", { type: "checkbox" })}
          />
        )}
        {closes && (
          <>
            <SimpleGrid cols={{ base: 1, xs: 2 }}>
              <PasswordInput
                label="Password of the backup"
                description={`At least ${SHORTEST} characters. Save it: nothing opens the file without it`}
                autoComplete="new-password"
                required
                visibilityToggleButtonProps={SHOW}
                {...form.getInputProps("password")}
              />
              <PasswordInput
                label="Password again"
                description="So that a slip of the finger does not lose the backup"
                autoComplete="new-password"
                required
                visibilityToggleButtonProps={SHOW}
                {...form.getInputProps("again")}
              />
            </SimpleGrid>
            <Checkbox
              label="With the configuration directory"
              description="claviger.yaml, certificates and their keys, and credential files come along"
              {...form.getInputProps("withConfig", { type: "checkbox" })}
            />
          </>
        )}
        {!isProblem(take.error, "bad_request") && <ProblemAlert error={take.error} />}
        <Group>
          <Button type="submit" loading={take.isPending}>
            Download a backup
          </Button>
          {take.isSuccess && (
            <Text role="status" size="sm">
              Taken: <Quantity value={take.data.size} unit="bytes" />. Your browser saves it.
            </Text>
          )}
        </Group>
      </Stack>
    </form>
  );
}
