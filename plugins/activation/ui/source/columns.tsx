// The columns of the list: what a cell shows and what the column is sorted by.

import type { Row } from "./api";
import { count, duration, instant } from "./format";
import { Badge, Box, Flex, Link, Text } from "./host";
import { dataOf, pathOf, sourceOf, State, Status, targetOf, Week } from "./parts";
import { scheduleOf } from "./schedule";
import { say, sayKnown, type Word } from "./words";

export interface Column {
  key: Word;
  usual: boolean;
  numeric?: boolean;
  by: (row: Row) => string | number | null;
  cell: (row: Row, open: (row: Row) => string) => React.ReactNode;
}

const total = (row: Row, of: "failed" | "rejected"): number => row.week.reduce((sum, one) => sum + one[of], 0);
const time = (iso: string | null | undefined): number | null => (iso ? Date.parse(iso) : null);

type Numbers = "read" | "sent" | "rejected" | "skipped";
const number = (key: Numbers, usual: boolean): Column => ({
  key, usual, numeric: true, by: (row) => row.last?.[key] ?? null, cell: (row) => count(row.last?.[key]),
});
const moment = (key: Word, usual: boolean, of: (row: Row) => string | null | undefined): Column => ({
  key, usual, by: (row) => time(of(row)), cell: (row) => <Nowrap>{instant(of(row))}</Nowrap>,
});
const word = (key: Word, usual: boolean, of: (row: Row) => string | null): Column => ({
  key, usual, by: (row) => of(row) || null, cell: (row) => of(row) || "–",
});

const Nowrap = ({ children }: { children: React.ReactNode }) => <Box whiteSpace="nowrap">{children}</Box>;

const Two = ({ children, below, most = "60" }: { children: React.ReactNode; below: string | null; most?: string }) => (
  <Box maxW={most} minW="28" overflowWrap="anywhere" whiteSpace="normal">
    {children}
    {below && <Text color="fg.muted" fontSize="xs">{below}</Text>}
  </Box>
);

export const COLUMNS: Column[] = [
  {
    key: "name", usual: true, by: (row) => row.pipeline,
    cell: (row, open) => (
      <Box minW="36">
        <Box asChild color="fg.info" fontWeight="semibold"><Link to={open(row)}>{row.pipeline}</Link></Box>
        {row.description && <Text color="fg.muted" fontSize="xs" lineClamp={1} title={row.description}>{row.description}</Text>}
      </Box>
    ),
  },
  { key: "kind", usual: true, by: (row) => sayKnown(row.kind), cell: (row) => <Nowrap>{sayKnown(row.kind)}</Nowrap> },
  word("data", false, dataOf),
  {
    key: "path", usual: true, by: pathOf,
    cell: (row) => <Two below={`→ ${targetOf(row)}`}>{sourceOf(row)}</Two>,
  },
  {
    key: "status", usual: true, by: (row) => sayKnown(row.status),
    cell: (row) => (
      <Flex align="start" direction="column" gap="1">
        <Status word={row.status} />
        {row.running && <Badge colorPalette="running" variant="subtle">{say("running")}</Badge>}
      </Flex>
    ),
  },
  {
    key: "schedule", usual: true, by: scheduleOf,
    cell: (row) => <Two below={row.next_run && say("next", { at: instant(row.next_run) })} most="44">{scheduleOf(row)}</Two>,
  },
  moment("next_run", false, (row) => row.next_run),
  {
    key: "last_run", usual: true, by: (row) => time(row.last?.started),
    cell: (row) => (row.last ? (
      <Box title={row.last.error ?? undefined} whiteSpace="nowrap">
        {instant(row.last.started)}
        <Flex align="center" color="fg.muted" fontSize="xs" gap="2"><State word={row.last.state} />{duration(row.last.seconds)}</Flex>
      </Box>
    ) : <Box color="fg.muted">{say("never")}</Box>),
  },
  {
    key: "duration", usual: false, numeric: true, by: (row) => row.last?.seconds ?? null,
    cell: (row) => <Nowrap>{duration(row.last?.seconds)}</Nowrap>,
  },
  number("read", true),
  number("sent", true),
  number("rejected", true),
  number("skipped", true),
  {
    key: "week", usual: true, by: (row) => total(row, "failed") * 1e9 + total(row, "rejected"),
    cell: (row) => <Week days={row.week} />,
  },
  {
    key: "watermark", usual: true, by: (row) => time(row.watermark),
    cell: (row) => (
      <Box whiteSpace="nowrap">
        {instant(row.watermark)}
        {row.lag_seconds !== null && <Text color="fg.muted" fontSize="xs">{say("behind", { lag: duration(row.lag_seconds) })}</Text>}
      </Box>
    ),
  },
  {
    key: "lag", usual: false, numeric: true, by: (row) => row.lag_seconds, cell: (row) => <Nowrap>{duration(row.lag_seconds)}</Nowrap>,
  },
  word("creator", false, (row) => row.creator),
  moment("created", false, (row) => row.created),
  moment("changed", false, (row) => row.changed),
  word("changed_by", false, (row) => row.changed_by),
];

const STORED = "activation.columns";

/** The columns that somebody chose, or the usual ones. */
export function storedColumns(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORED) ?? "null");
    if (Array.isArray(stored)) return COLUMNS.filter((one) => one.key === "name" || stored.includes(one.key)).map((one) => one.key);
  } catch {
    // What is stored is not ours: the usual columns are shown.
  }
  return usualColumns();
}

export const usualColumns = (): string[] => COLUMNS.filter((one) => one.usual).map((one) => one.key);

export const storeColumns = (keys: string[]): void => localStorage.setItem(STORED, JSON.stringify(keys));
