// Small pieces that the list and the page of one pipeline share.

import type { Day, Row } from "./api";
import { count, day } from "./format";
import { Alert, Badge, Box, Button, Flex, Heading, Skeleton, Text } from "./host";
import { say, sayKnown } from "./words";

const PALETTES: Record<string, string> = {
  Active: "success", Completed: "success", Extracting: "running", Failed: "failed",
  Paused: "gray", Ended: "gray", Inactive: "gray",
  success: "success", failed: "failed", running: "running", queued: "queued",
};

/** The status of a pipeline in the words of its kind. */
export const Status = ({ word }: { word: string }) => (
  <Badge colorPalette={PALETTES[word] ?? "gray"} variant="subtle">{sayKnown(word)}</Badge>
);

/** The state of a DAG run. */
export const State = ({ word }: { word: string }) => (
  <Badge colorPalette={PALETTES[word] ?? "gray"} variant="subtle">{sayKnown(word, "state_")}</Badge>
);

export const running = (row: Row): boolean => row.running !== null;

/** Where rows come from. */
export const sourceOf = (row: Row): string => [row.source.engine, row.source.name].filter(Boolean).join(" ") || "–";

/** What rows are, in the page's language. */
export const dataOf = (row: Row): string => (row.data ? sayKnown(row.data, "data_") : "");

/** Where rows go to. */
export function targetOf(row: Row): string {
  const label = row.target.label ?? "";
  if (label.includes("://")) return label;
  const place = label === row.data ? dataOf(row) : row.data === "catalog_items" ? say("catalog", { name: label }) : label;
  return [TYPES[row.type] ?? row.type, place].filter(Boolean).join(" ");
}

const TYPES: Record<string, string> = { braze: "Braze", s3: "S3", kinesis: "Kinesis", kakao_moment: "Kakao Moment" };

export const pathOf = (row: Row): string => `${sourceOf(row)} → ${targetOf(row)}`;

const WIDTH = 9;
const HIGH = 22;

/** Failed runs and rejects of the last seven days, side by side for each day; each day tells its numbers. */
export function Week({ days }: { days: Day[] }) {
  const failed = days.reduce((sum, one) => sum + one.failed, 0);
  const rejected = days.reduce((sum, one) => sum + one.rejected, 0);
  const most = Math.max(1, ...days.map((one) => one.rejected));
  const mostFailed = Math.max(1, ...days.map((one) => one.failed));
  const high = (value: number, of: number) => (value ? Math.max(3, (value / of) * (HIGH - 2)) : 0);
  return (
    <svg aria-label={say("week_label", { failed, rejected: count(rejected) })} height={HIGH} role="img" width={days.length * WIDTH * 1.5}>
      {days.map((one, at) => {
        const left = at * WIDTH * 1.5;
        const bars = [[high(one.failed, mostFailed), "failed-solid", 0], [high(one.rejected, most), "warning-solid", 6]] as const;
        return (
          <g key={one.day}>
            <title>{dayText(one)}</title>
            <rect fill="transparent" height={HIGH} width={WIDTH * 1.5} x={left} y={0} />
            <rect fill="var(--chakra-colors-border)" height={1.5} width={11} x={left} y={HIGH - 1.5} />
            {bars.map(([size, color, shift]) => (
              <rect fill={`var(--chakra-colors-${color})`} height={size} key={color} width={5} x={left + shift} y={HIGH - 1.5 - size} />
            ))}
          </g>
        );
      })}
    </svg>
  );
}

const dayText = (one: Day): string => say("day_label", {
  day: day(one.day), runs: count(one.runs), failed: count(one.failed), rejected: count(one.rejected), sent: count(one.sent),
});

/** An error with its text, and a way on. */
export const Problem = ({ title, error, retry }: { title: string; error?: Error; retry?: () => void }) => (
  <Alert.Root role="alert" status="error">
    <Alert.Indicator />
    <Alert.Content>
      <Alert.Title>{title}</Alert.Title>
      {error && <Alert.Description>{error.message}</Alert.Description>}
    </Alert.Content>
    {retry && <Button onClick={retry} size="xs" variant="outline">{say("retry")}</Button>}
  </Alert.Root>
);

/** A remark that is not an error. */
export const Note = ({ status = "info", title, children }: { status?: string; title?: string; children?: React.ReactNode }) => (
  <Alert.Root role="status" status={status}>
    <Alert.Indicator />
    <Alert.Content>
      {title && <Alert.Title>{title}</Alert.Title>}
      {children && <Alert.Description>{children}</Alert.Description>}
    </Alert.Content>
  </Alert.Root>
);

/** What stands where the answer of the server will stand. */
export const Waiting = () => (
  <Box aria-busy="true" aria-label={say("loading")} role="status">
    {[0, 1, 2, 3, 4].map((line) => <Skeleton height="9" key={line} mb="2" />)}
  </Box>
);

/** A part of a page with a heading of its own. */
export const Section = ({ title, aside, children }: { title: string; aside?: React.ReactNode; children: React.ReactNode }) => (
  <Box as="section" borderColor="border" borderRadius="md" borderWidth="1px" p="4">
    <Flex align="center" gap="2" justify="space-between" mb="3" wrap="wrap">
      <Heading as="h2" size="md">{title}</Heading>
      {aside}
    </Flex>
    {children}
  </Box>
);

/** A label and its value, one above the other. */
export const Fact = ({ label, children }: { label: string; children: React.ReactNode }) => (
  <Box minW="0">
    <Text as="dt" color="fg.muted" fontSize="xs">{label}</Text>
    <Text as="dd" fontSize="sm" m="0" overflowWrap="anywhere">{children}</Text>
  </Box>
);
