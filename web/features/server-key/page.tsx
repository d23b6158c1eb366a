import { Skeleton, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { PageHeader } from "#components/page-header.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { SettingsTabs } from "#components/settings-tabs.tsx";
import { useEventRefresh } from "#lib/events.ts";
import { keyDetails } from "./api/key-details.ts";
import { resealProgress } from "./api/reseal-progress.ts";
import { KeyInForce, type KeyWindow } from "./key-in-force.tsx";
import { LockNow } from "./lock-now.tsx";
import { NoKeyYet } from "./no-key-yet.tsx";
import { Repair } from "./repair.tsx";
import { Resealing } from "./resealing.tsx";
import { RevokeRecovery } from "./revoke-recovery.tsx";
import { RotateKey } from "./rotate-key.tsx";
import { type RotationEnd, RotationResult } from "./rotation-end.tsx";
import { SetKey } from "./set-key.tsx";
import { TryKey } from "./try-key.tsx";

export default function ServerKeyPage(): ReactNode {
  const details = useQuery(keyDetails());
  const [open, setOpen] = useState<KeyWindow | null>(null);
  const [end, setEnd] = useState<RotationEnd | null>(null);
  useEventRefresh(["seal"], [keyDetails().queryKey, resealProgress().queryKey]);
  return (
    <>
      <SettingsTabs />
      <PageHeader
        title="Server encryption key"
        about="The passphrase that opens the stored credentials after every start. The server does not keep it."
      />
      <Stack>
        {details.isPending && <Skeleton height={180} role="status" aria-label="Server key: loading" />}
        <ProblemAlert error={details.error} retry={details.refetch} />
        {end !== null && <RotationResult end={end} />}
        {details.data?.initialized === true && (
          <>
            <Resealing />
            <KeyInForce details={details.data} open={setOpen} />
          </>
        )}
        {details.data?.initialized === false && <NoKeyYet set={() => setOpen("set")} />}
      </Stack>
      <OpenWindow open={open} onDone={setEnd} onClose={() => setOpen(null)} />
    </>
  );
}

function OpenWindow(props: {
  readonly open: KeyWindow | null;
  readonly onDone: (end: RotationEnd) => void;
  readonly onClose: () => void;
}): ReactNode {
  const { open, onDone, onClose } = props;
  switch (open) {
    case null:
      return null;
    case "set":
      return <SetKey onClose={onClose} />;
    case "rotate":
      return <RotateKey onDone={onDone} onClose={onClose} />;
    case "repair":
      return <Repair onDone={onDone} onClose={onClose} />;
    case "try":
      return <TryKey onClose={onClose} />;
    case "lock":
      return <LockNow onClose={onClose} />;
    case "revoke":
      return <RevokeRecovery onClose={onClose} />;
    default:
      return open satisfies never;
  }
}
