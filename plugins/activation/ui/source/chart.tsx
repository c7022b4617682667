// The last runs as three small bar charts over one another: rows sent, rejects, seconds.

import type { Run } from "./api";
import { count, duration, instant } from "./format";
import { Box, Flex, SimpleGrid, Text } from "./host";
import { say, sayKnown, type Word } from "./words";

const HIGH = 72;
const STEP = 12;

interface Measure {
  word: Word;
  of: (run: Run) => number;
  shown: (value: number) => string;
  color: (run: Run) => string;
}

const good = (run: Run): string => (run.state === "failed" ? "failed-solid" : run.state === "success" ? "success-solid" : "running-solid");

const MEASURES: Measure[] = [
  { word: "rows_sent", of: (run) => run.sent ?? 0, shown: count, color: good },
  { word: "rejects", of: (run) => run.rejected ?? 0, shown: count, color: () => "warning-solid" },
  { word: "seconds", of: (run) => run.seconds ?? 0, shown: duration, color: good },
];

/** Runs oldest first. The table of runs has the same numbers for those who cannot see bars. */
export const Chart = ({ runs }: { runs: Run[] }) => (
  <Box aria-label={say("chart", { count: runs.length })} role="group">
    <SimpleGrid columns={{ base: 1, md: 3 }} gap="5">
      {MEASURES.map((measure) => <Bars key={measure.word} measure={measure} runs={runs} />)}
    </SimpleGrid>
  </Box>
);

function Bars({ runs, measure }: { runs: Run[]; measure: Measure }) {
  const most = Math.max(...runs.map(measure.of), 0);
  const wide = Math.max(runs.length, 12) * STEP;
  return (
    <Box>
      <Flex fontSize="xs" justify="space-between" mb="1">
        <Text fontWeight="semibold">{say(measure.word)}</Text>
        <Text color="fg.muted">{say("most", { value: measure.shown(most) })}</Text>
      </Flex>
      <svg aria-label={`${say(measure.word)}, ${say("most", { value: measure.shown(most) })}`} height={HIGH} preserveAspectRatio="none" role="img" style={{ display: "block" }} viewBox={`0 0 ${wide} ${HIGH}`} width="100%">
        <rect fill="var(--chakra-colors-border)" height="1" width={wide} x="0" y={HIGH - 1} />
        {runs.map((run, at) => {
          const value = measure.of(run);
          const high = value ? Math.max(2, (value / most) * (HIGH - 4)) : 0;
          return (
            <g key={run.run_id}>
              <title>{`${instant(run.started)} · ${sayKnown(run.state, "state_")} · ${say(measure.word)}: ${measure.shown(value)}`}</title>
              <rect fill="transparent" height={HIGH} width={STEP} x={at * STEP} y="0" />
              <rect fill={`var(--chakra-colors-${measure.color(run)})`} height={high} width={STEP - 3} x={at * STEP + 1} y={HIGH - 1 - high} />
            </g>
          );
        })}
      </svg>
    </Box>
  );
}
