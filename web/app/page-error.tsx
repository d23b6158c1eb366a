import type { ErrorComponentProps } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { PageHeader } from "#components/page-header.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";

/** In place of a page that broke: the rest of the app goes on. */
export function PageError({ error }: Pick<ErrorComponentProps, "error">): ReactNode {
  return (
    <>
      <PageHeader title="This page broke" />
      {/* After an upgrade its parts have other names, which only a fresh page knows. */}
      <ProblemAlert error={error} retry={() => location.reload()} />
    </>
  );
}
