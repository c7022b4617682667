// One pipeline: what it is, its last runs, its rejects, its watermark, its file and plan; also the tab on its DAG and on a run.

import { type Detail, getPipeline, type Of, Refused, type Reject, type Run, rejectsAddress } from "./api";
import { Actions } from "./actions";
import { Chart } from "./chart";
import { count, duration, instant } from "./format";
import { Box, Button, Flex, Heading, Link, SimpleGrid, Table, Text } from "./host";
import { useLoaded } from "./loaded";
import { dataOf, Fact, Note, pathOf, Problem, running, Section, State, Status, Waiting, Week } from "./parts";
import { Lines, Plan } from "./plan";
import { scheduleOf } from "./schedule";
import { say, sayKnown, type Word } from "./words";

interface Asked extends Of {
  run?: string | undefined;
  back?: string;
}

export function Pipeline({ dag, pipeline, run, back }: Asked) {
  const { value, error, reload, expect } = useLoaded<Detail>(`${dag} ${pipeline}`, (signal) => getPipeline({ dag, pipeline }, signal), running);
  return (
    <Flex direction="column" gap="4">
      {back !== undefined && <Box asChild color="fg.info" fontSize="sm"><Link to={back}>← {say("back")}</Link></Box>}
      {error && (error instanceof Refused && error.status === 404
        ? <Note title={dag}>{say("not_a_pipeline")}</Note>
        : <Problem error={error} retry={reload} title={say(value ? "error_stale" : "error")} />)}
      {!value && !error && <Waiting />}
      {value && <Whole detail={value} expect={expect} run={run} />}
    </Flex>
  );
}

const taskOf: Record<string, string> = { import: "import", export: "export", stream: "stream", upload: "upload" };

const ofDetail = (detail: Detail): Of => ({ dag: detail.dag_id, pipeline: detail.pipeline === detail.dag_id ? undefined : detail.pipeline });

/** The page of a run in the Airflow UI. */
const runPage = (detail: Detail, run: string): string => `/dags/${encodeURIComponent(detail.dag_id)}/runs/${encodeURIComponent(run)}`;

function Whole({ detail, run, expect }: { detail: Detail; run: string | undefined; expect: () => void }) {
  const rejects = run ? detail.rejects.filter((one) => one.run === run) : detail.rejects;
  const runs = [...detail.runs].sort((one, other) => (other.started ?? "~").localeCompare(one.started ?? "~"));
  return (
    <>
      <Flex align="start" gap="3" justify="space-between" wrap="wrap">
        <Box>
          <Flex align="center" gap="3" wrap="wrap">
            <Heading as="h1" size="xl">{detail.pipeline}</Heading>
            <Status word={detail.status} />
            {detail.running && <State word="running" />}
          </Flex>
          {detail.description && <Text color="fg.muted">{detail.description}</Text>}
        </Box>
        <Actions detail={detail} onDone={expect} />
      </Flex>
      {run && <ThisRun detail={detail} run={run} />}
      {detail.note && <Note status="warning">{detail.note}</Note>}
      <About detail={detail} />
      <Section title={say("runs", { count: runs.length })}>
        {runs.length ? <><Chart runs={[...runs].reverse()} /><Runs detail={detail} runs={runs} /></> : <Text>{say("no_runs")}</Text>}
      </Section>
      <Rejects detail={detail} rejects={rejects} run={run} />
      <SimpleGrid columns={{ base: 1, lg: 2 }} gap="4">
        <Section title={say("watermarks")}><Watermarks detail={detail} /></Section>
        {detail.plan && <Section title={say("plan")}><Plan text={detail.plan} /></Section>}
      </SimpleGrid>
      {detail.file && <Section title={say("file")}><Text fontSize="sm" mb="2">{detail.file.name}</Text><Lines label={say("file")} text={detail.file.text} /></Section>}
    </>
  );
}

/** When a run started, or its id if it is not among those that are listed. */
const startedOf = (detail: Detail, run: string): string => {
  const started = detail.runs.find((one) => one.run_id === run)?.started;
  return started ? instant(started, true) : run;
};

const modeOf = (run: Run): string => (run.mode ? sayKnown(run.mode, "ran_") : "–");

function About({ detail }: { detail: Detail }) {
  return (
    <Section
      aside={(
        <Flex aria-label={say("links")} as="nav" color="fg.info" fontSize="sm" gap="4">
          <Link to={`/dags/${encodeURIComponent(detail.dag_id)}`}>{say("open_dag")}</Link>
          {detail.last && detail.kind in taskOf && <Link to={`${runPage(detail, detail.last.run)}/tasks/${taskOf[detail.kind]}`}>{say("open_logs")}</Link>}
          {detail.asset_id !== null && <Link to={`/assets/${detail.asset_id}`}>{say("open_asset")}</Link>}
        </Flex>
      )}
      title={pathOf(detail)}
    >
      <SimpleGrid as="dl" columns={{ base: 2, md: 4 }} gap="4" m="0">
        <Fact label={say("kind")}>{[sayKnown(detail.kind), dataOf(detail)].filter(Boolean).join(", ")}</Fact>
        <Fact label={say("schedule")}>{scheduleOf(detail)}</Fact>
        <Fact label={say("next_run")}>{instant(detail.next_run)}</Fact>
        <Fact label={say("week")}><Week days={detail.week} /></Fact>
        <Fact label={say("watermark")}>{instant(detail.watermark, true)}</Fact>
        <Fact label={say("lag")}>{duration(detail.lag_seconds)}</Fact>
        <Fact label={say("creator")}>{[detail.creator || "–", instant(detail.created)].join(", ")}</Fact>
        <Fact label={say("changed")}>{[detail.changed_by, instant(detail.changed)].filter(Boolean).join(", ")}</Fact>
      </SimpleGrid>
    </Section>
  );
}

function ThisRun({ detail, run }: { detail: Detail; run: string }) {
  const found = detail.runs.find((one) => one.run_id === run);
  if (!found) return <Note>{say("run_not_listed", { count: detail.runs.length })}</Note>;
  return (
    <Section aside={<State word={found.state} />} title={`${say("this_run")}: ${run}`}>
      <SimpleGrid as="dl" columns={{ base: 2, md: 4 }} gap="4" m="0">
        <Fact label={say("mode")}>{modeOf(found)}</Fact>
        <Fact label={say("started")}>{instant(found.started, true)}</Fact>
        <Fact label={say("duration")}>{duration(found.seconds)}</Fact>
        <Fact label={say("watermark")}>{instant(found.watermark, true)}</Fact>
        <Fact label={say("read")}>{count(found.read)}</Fact>
        <Fact label={say("sent")}>{count(found.sent)}</Fact>
        <Fact label={say("rejected")}>{count(found.rejected)}</Fact>
        <Fact label={say("skipped")}>{count(found.skipped)}</Fact>
      </SimpleGrid>
      {found.error && <Box mt="3"><Problem error={new Error(found.error)} title={say("error_text")} /></Box>}
    </Section>
  );
}

const NUMBERS: Word[] = ["duration", "read", "sent", "rejected", "skipped", "count"];

/** A table that may be wider than the page; it can be reached and scrolled by the keyboard. */
const Wide = ({ label, heads, children }: { label: string; heads: Word[]; children: React.ReactNode }) => (
  <Table.ScrollArea aria-label={label} maxH="96" mt="3" role="region" tabIndex={0}>
    <Table.Root size="sm" stickyHeader>
      <Table.Header>
        <Table.Row>
          {heads.map((head) => (
            <Table.ColumnHeader color="fg" fontSize="xs" fontWeight="semibold" key={head} scope="col" textAlign={NUMBERS.includes(head) ? "end" : "start"} whiteSpace="nowrap">{say(head)}</Table.ColumnHeader>
          ))}
        </Table.Row>
      </Table.Header>
      <Table.Body>{children}</Table.Body>
    </Table.Root>
  </Table.ScrollArea>
);

function Runs({ detail, runs }: { detail: Detail; runs: Run[] }) {
  const errors = runs.some((run) => run.error);
  const heads: Word[] = ["started", "status", "mode", "duration", "read", "sent", "rejected", "skipped", "watermark", ...(errors ? ["error_text" as const] : [])];
  return (
    <Wide heads={heads} label={say("runs", { count: runs.length })}>
      {runs.map((run) => (
        <Table.Row data-run={run.run_id} key={run.run_id}>
          <Table.Cell color="fg.info" whiteSpace="nowrap"><Link to={runPage(detail, run.run_id)}>{run.started ? instant(run.started, true) : run.run_id}</Link></Table.Cell>
          <Table.Cell><State word={run.state} /></Table.Cell>
          <Table.Cell>{modeOf(run)}</Table.Cell>
          <Table.Cell textAlign="end" whiteSpace="nowrap">{duration(run.seconds)}</Table.Cell>
          {[run.read, run.sent, run.rejected, run.skipped].map((value, at) => <Table.Cell key={at} textAlign="end">{count(value)}</Table.Cell>)}
          <Table.Cell whiteSpace="nowrap">{instant(run.watermark, true)}</Table.Cell>
          {errors && <Table.Cell fontSize="xs" minW="72">{run.error ?? ""}</Table.Cell>}
        </Table.Row>
      ))}
    </Wide>
  );
}

interface Reason {
  code: string;
  message: string;
  count: number;
  samples: string[];
  runs: string[];
}

function reasons(rejects: Reject[]): Reason[] {
  const found = new Map<string, Reason>();
  for (const one of rejects) {
    const reason = found.get(one.code) ?? { code: one.code, message: one.message ?? "", count: 0, samples: [], runs: [] };
    reason.count += one.count;
    reason.samples = [...reason.samples, ...one.samples].slice(0, 5);
    reason.runs.push(one.run);
    found.set(one.code, reason);
  }
  return [...found.values()].sort((one, other) => other.count - one.count);
}

function Rejects({ detail, rejects, run }: { detail: Detail; rejects: Reject[]; run: string | undefined }) {
  const csv = <Button asChild size="xs" variant="outline"><a download href={rejectsAddress(ofDetail(detail), run)}>{say("download_csv")}</a></Button>;
  return (
    <Section aside={rejects.length ? csv : undefined} title={say("rejects")}>
      {rejects.length ? (
        <Wide heads={["reason", "count", "samples", "of_runs"]} label={say("rejects")}>
          {reasons(rejects).map((one) => (
            <Table.Row data-reason={one.code} key={one.code}>
              <Table.Cell maxW="72" minW="40" verticalAlign="top"><strong>{one.code}</strong>{one.message && <Text color="fg.muted" fontSize="xs">{one.message}</Text>}</Table.Cell>
              <Table.Cell textAlign="end" verticalAlign="top">{count(one.count)}</Table.Cell>
              <Table.Cell minW="64" overflowWrap="anywhere">
                {one.samples.map((sample, at) => <Box as="code" display="block" fontSize="xs" key={at} whiteSpace="pre-wrap">{sample}</Box>)}
              </Table.Cell>
              <Table.Cell verticalAlign="top">
                {one.runs.map((id) => (
                  <Flex color="fg.info" fontSize="xs" gap="3" key={id} whiteSpace="nowrap">
                    <Link to={runPage(detail, id)}>{startedOf(detail, id)}</Link>
                    <a download href={rejectsAddress(ofDetail(detail), id)}>CSV</a>
                  </Flex>
                ))}
              </Table.Cell>
            </Table.Row>
          ))}
        </Wide>
      ) : <Text>{say("no_rejects")}</Text>}
    </Section>
  );
}

function Watermarks({ detail }: { detail: Detail }) {
  if (!detail.watermarks.length) return <Text>{say("no_watermarks")}</Text>;
  return (
    <Wide heads={["at", "watermark"]} label={say("watermarks")}>
      {detail.watermarks.map((one, at) => (
        <Table.Row key={at}>
          <Table.Cell whiteSpace="nowrap">{instant(one.at, true)}</Table.Cell>
          <Table.Cell whiteSpace="nowrap">{one.watermark ? instant(one.watermark, true) : say("beginning")}</Table.Cell>
        </Table.Row>
      ))}
    </Wide>
  );
}
