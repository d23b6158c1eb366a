import type { ReactNode } from "react";
import { useNow } from "#lib/now.ts";
import { relativeTime } from "#lib/relative-time.ts";

const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

/** A time of the API, relative; the exact one, in the reader's zone, is its title. `none` stands for null. */
export function Time(props: { readonly at: string | null; readonly none?: string }): ReactNode {
  const nowMs = useNow();
  if (props.at === null) return props.none ?? "–";
  const atMs = Date.parse(props.at);
  return (
    <time dateTime={props.at} title={EXACT.format(atMs)} style={{ whiteSpace: "nowrap" }}>
      {relativeTime(atMs, nowMs)}
    </time>
  );
}
