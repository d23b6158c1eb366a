import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { useSearchWords } from "#lib/search-words.ts";
import { EmptyState } from "./empty-state.tsx";

/** What stands where a list is empty for what it was narrowed to; `clear` takes that out of the address. */
export function NothingFound(props: {
  readonly title: string;
  readonly about: string;
  readonly clear: Readonly<Record<string, string | undefined>>;
}): ReactNode {
  const [, change] = useSearchWords();
  return (
    <div role="status">
      <EmptyState
        title={props.title}
        about={props.about}
        action={
          <Button variant="default" onClick={() => change(props.clear)}>
            Show all
          </Button>
        }
      />
    </div>
  );
}
