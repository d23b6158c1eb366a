import { Button, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { tellDone } from "#lib/tell.tsx";
import { useReloadConfig } from "./api/reload-config.ts";

/** Has the configuration file read anew, and shows every problem of one that is refused. */
export function ReloadConfig(props: { readonly file: string }): ReactNode {
  const reload = useReloadConfig();
  return (
    <>
      <Text>
        They are read from the command line, the environment and <b>{props.file}</b>, in this order. Change
        the file on the machine: it is put in force when it is saved, or by this button.
      </Text>
      <div>
        <Button
          variant="default"
          loading={reload.isPending}
          onClick={() => reload.mutate(undefined, { onSuccess: () => tellDone("The file is in force.") })}
        >
          Read the file anew
        </Button>
      </div>
      <div style={{ whiteSpace: "pre-line" }}>
        <ProblemAlert error={reload.error} />
      </div>
    </>
  );
}
