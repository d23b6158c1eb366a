import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { CopyField } from "#components/copy.tsx";
import { FormModal } from "#components/form-modal.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { QrCode } from "#components/qr-code.tsx";
import { SecretOnce } from "#components/secret-once.tsx";
import { Snippet } from "#components/snippet.tsx";
import { whoAmI } from "#features/session/api/who-am-i.ts";
import { isProblem } from "#lib/api-problem.ts";
import type { Schemas } from "#lib/api-types.ts";
import { useConfirmSecondFactor } from "./api/confirm-second-factor.ts";

const CODE = /^\d{6}$/;

/** Shows the seed, has a code of it confirmed, and then shows the recovery codes, each of them this once. */
export function EnrolSecondFactor(props: {
  readonly seed: Schemas["SecondFactor"];
  readonly onClose: () => void;
}): ReactNode {
  const client = useQueryClient();
  const confirm = useConfirmSecondFactor();
  const form = useForm({
    initialValues: { code: "" },
    validate: { code: (code) => (CODE.test(code) ? null : "A code has six digits") },
  });
  if (confirm.data !== undefined)
    return (
      <RecoveryCodes
        codes={confirm.data.recovery_codes}
        onClose={() => {
          void client.invalidateQueries({ queryKey: whoAmI().queryKey });
          props.onClose();
        }}
      />
    );
  const submit = form.onSubmit((body) =>
    confirm.mutate(body, {
      onError: (error) => {
        if (isProblem(error, "wrong_code")) form.setFieldError("code", error.message);
      },
    }),
  );
  return (
    <FormModal title="Set up the second factor" onClose={props.onClose}>
      <form onSubmit={submit}>
        <Stack>
          <Text>
            Scan this with an authenticator app, or type the seed there; then give the code it shows.
          </Text>
          <QrCode text={props.seed.uri} label="QR code of the seed, for an authenticator app" />
          <CopyField label="Seed" value={props.seed.secret} />
          <CopyField label="The same as an address" value={props.seed.uri} />
          <TextInput
            label="Code"
            required
            inputMode="numeric"
            autoComplete="one-time-code"
            {...form.getInputProps("code")}
          />
          {!isProblem(confirm.error, "wrong_code") && <ProblemAlert error={confirm.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={confirm.isPending}>
              Confirm
            </Button>
          </Group>
        </Stack>
      </form>
    </FormModal>
  );
}

function RecoveryCodes(props: {
  readonly codes: readonly string[];
  readonly onClose: () => void;
}): ReactNode {
  return (
    <SecretOnce
      title="Recovery codes"
      label="All of them"
      secret={props.codes.join(" ")}
      onClose={props.onClose}
    >
      <Text>Each signs you in once in place of a code, where the app is lost.</Text>
      <Snippet label="Recovery codes" text={props.codes.join("\n")} />
    </SecretOnce>
  );
}
