// The list of pipelines: counters, search, filters, columns, sorting.

import { getPipelines, type Pipelines, type Row } from "./api";
import { COLUMNS, type Column, storeColumns, storedColumns, usualColumns } from "./columns";
import { count, instant } from "./format";
import { Box, Button, Checkbox, Flex, Heading, Input, NativeSelect, Popover, Portal, SimpleGrid, Table, Text, useSearchParams } from "./host";
import { useLoaded } from "./loaded";
import { dataOf, Note, pathOf, Problem, running, Waiting } from "./parts";
import { scheduleOf } from "./schedule";
import { say, sayKnown } from "./words";

const KINDS = ["import", "export", "stream", "upload"];

export function List() {
  const { value, error, reload } = useLoaded<Pipelines>("list", getPipelines, (found) => found.pipelines.some(running));
  return (
    <Flex direction="column" gap="4">
      <Flex align="center" gap="3" justify="space-between" wrap="wrap">
        <Heading as="h1" size="xl">{say("title")}</Heading>
        <Flex align="center" gap="3">
          {value && <Text color="fg.muted" fontSize="sm">{say("as_of", { at: instant(value.at, true) })}</Text>}
          <Button onClick={reload} variant="outline">{say("refresh")}</Button>
        </Flex>
      </Flex>
      {error && <Problem error={error} retry={reload} title={say(value ? "error_stale" : "error")} />}
      {!value && !error && <Waiting />}
      {value && <Counters found={value} />}
      {value && (value.pipelines.length ? <Found rows={value.pipelines} /> : <Note title={say("empty")}>{say("empty_help")}</Note>)}
    </Flex>
  );
}

const Counters = ({ found }: { found: Pipelines }) => (
  <SimpleGrid as="dl" columns={{ base: 2, md: 5 }} gap="3" m="0">
    {(["all", "active", "running", "completed", "failing"] as const).map((key) => (
      <Box borderColor="border" borderRadius="md" borderWidth="1px" key={key} px="4" py="3">
        <Text as="dt" color="fg.muted" fontSize="sm">{say(key)}</Text>
        <Text as="dd" color={key === "failing" && found.counters.failing ? "fg.error" : "fg"} data-counter={key} fontSize="2xl" fontWeight="semibold" m="0">
          {count(found.counters[key])}
        </Text>
      </Box>
    ))}
  </SimpleGrid>
);

/** Search, filters and order stand in the address, so that a link shows the same. */
function useChoice() {
  const [asked, set] = useSearchParams();
  const change = (values: Record<string, string>) => {
    const next = new URLSearchParams(location.search); // what React has may lag behind the address
    for (const [name, text] of Object.entries(values)) text ? next.set(name, text) : next.delete(name);
    set(next, { replace: true });
  };
  const of = (name: string) => asked.get(name) ?? "";
  return { search: of("q"), kind: of("kind"), status: of("status"), sort: of("sort") || "name", down: of("order") === "desc", asked, change };
}

function Found({ rows }: { rows: Row[] }) {
  const choice = useChoice();
  const [keys, setKeys] = React.useState(storedColumns);
  const [search, setSearch] = React.useState(choice.search); // the address follows the typing, and may lag behind it
  const wanted = search.toLowerCase();
  const type = (q: string) => {
    setSearch(q);
    choice.change({ q });
  };
  const column = COLUMNS.find((one) => one.key === choice.sort) ?? COLUMNS[0]!;
  const shown = rows
    .filter((row) => !choice.kind || row.kind === choice.kind)
    .filter((row) => !choice.status || row.status === choice.status)
    .filter((row) => !wanted || textOf(row).includes(wanted))
    .sort((one, other) => compare(column.by(one), column.by(other), choice.down) || one.pipeline.localeCompare(other.pipeline));
  const open = (row: Row) => {
    const next = new URLSearchParams(choice.asked);
    next.set("dag", row.dag_id);
    if (row.pipeline !== row.dag_id) next.set("pipeline", row.pipeline);
    return `?${next}`;
  };
  return (
    <>
      <Flex align="center" gap="3" wrap="wrap">
        <Input aria-label={say("search")} maxW="72" onChange={(event: React.ChangeEvent<HTMLInputElement>) => type(event.target.value)} placeholder={say("search")} size="sm" type="search" value={search} />
        <Choose any={say("every_kind")} label={say("kind")} onChoose={(kind) => choice.change({ kind })} options={KINDS} value={choice.kind} />
        <Choose any={say("every_status")} label={say("status")} onChoose={(status) => choice.change({ status })} options={[...new Set(rows.map((row) => row.status))].sort()} value={choice.status} />
        <Columns keys={keys} onChoose={(next) => { storeColumns(next); setKeys(next); }} />
        <Text aria-live="polite" color="fg.muted" fontSize="sm">{say("shown", { count: count(shown.length), all: count(rows.length) })}</Text>
      </Flex>
      {shown.length ? <Rows choice={choice} columns={COLUMNS.filter((one) => keys.includes(one.key))} open={open} rows={shown} /> : (
        <Note title={say("nothing_fits")}>
          <Button mt="2" onClick={() => { setSearch(""); choice.change({ q: "", kind: "", status: "" }); }} size="xs" variant="outline">{say("clear")}</Button>
        </Note>
      )}
    </>
  );
}

const textOf = (row: Row): string =>
  [
    row.pipeline, row.dag_id, row.description, sayKnown(row.kind), pathOf(row), dataOf(row), sayKnown(row.status), scheduleOf(row),
    row.creator, row.changed_by,
  ].join(" ").toLowerCase();

/** What has no value stands at the end in both directions. */
function compare(one: string | number | null, other: string | number | null, down: boolean): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  const order = typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other));
  return down ? -order : order;
}

interface Choosing {
  label: string;
  any: string;
  options: string[];
  value: string;
  onChoose: (value: string) => void;
}

const Choose = ({ label, any, options, value, onChoose }: Choosing) => (
  <NativeSelect.Root size="sm" width="44">
    <NativeSelect.Field aria-label={label} onChange={(event: React.ChangeEvent<HTMLSelectElement>) => onChoose(event.target.value)} value={value}>
      <option value="">{any}</option>
      {options.map((option) => <option key={option} value={option}>{sayKnown(option)}</option>)}
    </NativeSelect.Field>
    <NativeSelect.Indicator />
  </NativeSelect.Root>
);

function Columns({ keys, onChoose }: { keys: string[]; onChoose: (keys: string[]) => void }) {
  const turn = (key: string, on: boolean) =>
    onChoose(COLUMNS.map((one) => one.key as string).filter((one) => (one === key ? on : keys.includes(one))));
  return (
    <Popover.Root lazyMount unmountOnExit>
      <Popover.Trigger asChild><Button variant="outline">{say("columns")}</Button></Popover.Trigger>
      <Portal>
        <Popover.Positioner>
          <Popover.Content aria-label={say("columns")} width="64">
            <Popover.Body maxH="96" overflowY="auto">
              <Flex direction="column" gap="2">
                {COLUMNS.filter((one) => one.key !== "name").map((one) => (
                  <Checkbox.Root checked={keys.includes(one.key)} key={one.key} onCheckedChange={(event: { checked: boolean | string }) => turn(one.key, event.checked === true)}>
                    <Checkbox.HiddenInput /><Checkbox.Control /><Checkbox.Label>{say(one.key)}</Checkbox.Label>
                  </Checkbox.Root>
                ))}
                <Button onClick={() => onChoose(usualColumns())} size="xs" variant="outline">{say("columns_usual")}</Button>
              </Flex>
            </Popover.Body>
          </Popover.Content>
        </Popover.Positioner>
      </Portal>
    </Popover.Root>
  );
}

interface Shown {
  rows: Row[];
  columns: Column[];
  choice: ReturnType<typeof useChoice>;
  open: (row: Row) => string;
}

const Rows = ({ rows, columns, choice, open }: Shown) => (
  <Table.ScrollArea aria-label={say("title")} borderColor="border" borderRadius="md" borderWidth="1px" role="region" tabIndex={0}>
    <Table.Root interactive size="sm">
      <Table.Header>
        <Table.Row>{columns.map((column) => <Head choice={choice} column={column} key={column.key} />)}</Table.Row>
      </Table.Header>
      <Table.Body>
        {rows.map((row) => (
          <Table.Row data-pipeline={row.pipeline} key={`${row.dag_id} ${row.pipeline}`}>
            {columns.map((column) => (
              <Table.Cell data-column={column.key} key={column.key} textAlign={column.numeric ? "end" : "start"}>{column.cell(row, open)}</Table.Cell>
            ))}
          </Table.Row>
        ))}
      </Table.Body>
    </Table.Root>
  </Table.ScrollArea>
);

function Head({ column, choice }: { column: Column; choice: ReturnType<typeof useChoice> }) {
  const sorted = choice.sort === column.key;
  const order = sorted ? (choice.down ? "descending" : "ascending") : "none";
  const turn = () => choice.change({ sort: column.key, order: sorted && !choice.down ? "desc" : "" });
  return (
    <Table.ColumnHeader aria-sort={order} scope="col" textAlign={column.numeric ? "end" : "start"}>
      <Button color="fg" fontWeight="semibold" height="auto" minW="0" mx="-1" onClick={turn} position="relative" px="1" py="1" size="xs" variant="plain">
        {say(column.key)}
        {sorted && <Box aria-hidden="true" as="span" position="absolute" {...{ [column.numeric ? "right" : "left"]: "100%" }} ms={column.numeric ? "0" : "-0.5"}>{choice.down ? "↓" : "↑"}</Box>}
      </Button>
    </Table.ColumnHeader>
  );
}
