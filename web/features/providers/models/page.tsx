import { Button, Group, Select } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useInfiniteQuery, useIsFetching, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { EmptyState } from "#components/empty-state.tsx";
import { ListSearch } from "#components/list-search.tsx";
import { NothingFound } from "#components/nothing-found.tsx";
import { PageHeader } from "#components/page-header.tsx";
import { useMe } from "#features/session/me.ts";
import { mayDo } from "#lib/permissions.ts";
import { useSearchWords } from "#lib/search-words.ts";
import { listProviders } from "../api/list-providers.ts";
import { ModelTable } from "./model-table.tsx";

const KEY = ["models"];

export default function ModelsPage(): ReactNode {
  const [{ search = "", provider = "" }, changeWords] = useSearchWords();
  const client = useQueryClient();
  const isReading = useIsFetching({ queryKey: KEY }) > 0;
  const isFiltered = search !== "" || provider !== "";
  return (
    <>
      <PageHeader
        title="Models"
        about="What the providers say they serve, by the names programs ask for. The lists are at most 15 seconds old."
      >
        <Button
          variant="default"
          leftSection={<IconRefresh size={16} aria-hidden />}
          loading={isReading}
          onClick={() => void client.invalidateQueries({ queryKey: KEY })}
        >
          Refresh
        </Button>
      </PageHeader>
      <Group mb="md" gap="sm" align="flex-end">
        <ListSearch placeholder="A part of the name" />
        <ProviderChoice
          value={provider === "" ? null : provider}
          onChange={(name) => changeWords({ provider: name ?? "" })}
        />
      </Group>
      <ModelTable
        {...(provider !== "" && { provider })}
        search={search}
        empty={isFiltered ? <NoSuchModel /> : <NoModels />}
      />
    </>
  );
}

/** Of which provider; for who may see them. */
function ProviderChoice(props: {
  readonly value: string | null;
  readonly onChange: (name: string | null) => void;
}): ReactNode {
  const mayList = mayDo(useMe(), "providers.manage");
  const { data } = useInfiniteQuery({ ...listProviders(), enabled: mayList });
  const names = data?.pages.flatMap((page) => page.data).filter(({ kind }) => kind !== "http") ?? [];
  if (names.length === 0) return null;
  return (
    <Select
      label="Provider"
      placeholder="All"
      data={names.map(({ name }) => name)}
      clearable
      clearButtonProps={{ "aria-label": "Of all providers" }}
      searchable
      value={props.value}
      onChange={props.onChange}
    />
  );
}

function NoSuchModel(): ReactNode {
  return (
    <NothingFound
      title="No model has such a name"
      about="Providers serve what their own lists name. One that does not answer has none."
      clear={{ search: "", provider: "" }}
    />
  );
}

function NoModels(): ReactNode {
  const mayAdd = mayDo(useMe(), "providers.manage");
  return (
    <EmptyState
      title="No model is known"
      about="The models come from the providers' own lists. Add a provider, or test the ones there are: one that does not answer has no models."
      {...(mayAdd && {
        action: (
          <Button component={Link} to="/providers">
            To the providers
          </Button>
        ),
      })}
      command="claviger models"
    />
  );
}
