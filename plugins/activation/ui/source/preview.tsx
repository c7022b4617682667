// Preview and test of the connections: a run that sends nothing, whose report is shown when it has ended.

import { type Detail, type Finding, findings, reports, runState } from "./api";
import { Ask, Framed, PausedNote, useSend } from "./dialogs";
import { Findings } from "./findings";
import { count } from "./format";
import { Box, Button, Link, SimpleGrid, Spinner, Text } from "./host";
import { Fact, Note, Problem } from "./parts";
import { Lines } from "./plan";
import { say, sayKnown } from "./words";

const ASK_EVERY = 1_500;
const ENDED = ["success", "failed"];

interface Previewing {
  detail: Detail;
  check: boolean;
  onClose: () => void;
  onDone: () => void;
}

export function PreviewDialog({ detail, check, onClose, onDone }: Previewing) {
  const [run, setRun] = React.useState("");
  const [limit, setLimit] = React.useState("");
  const [resume, setResume] = React.useState(false);
  const { error, busy, send } = useSend(detail, (id) => {
    setRun(id);
    onDone();
  });
  const limited = detail.params.includes("limit");
  const wrong = limit !== "" && !/^[1-9]\d*$/.test(limit) && say("limit_wrong");
  const submit = () => {
    if (run || wrong) return;
    void send(check ? { mode: "check" } : { mode: "preview", ...(limit ? { limit: Number(limit) } : {}) }, resume);
  };
  const title = `${say(check ? "test_connection" : "preview")}: ${detail.pipeline}`;
  return (
    <Framed
      footer={(
        <>
          <Button onClick={onClose} variant="outline">{say(run ? "close" : "cancel")}</Button>
          {!run && <Button loading={busy} type="submit">{say("start")}</Button>}
        </>
      )}
      onClose={onClose} onSubmit={submit} title={title}
    >
      {run ? <Result check={check} detail={detail} onDone={onDone} run={run} /> : (
        <>
          <Text fontSize="sm">{say(check ? "check_help" : "preview_help")}</Text>
          <PausedNote detail={detail} onChange={setResume} resume={resume} />
          {limited && !check && <Ask help={say("limit_help")} label={say("limit")} onChange={setLimit} value={limit} {...(wrong ? { wrong } : {})} />}
          {error && <Problem error={error} title={say("error_text")} />}
        </>
      )}
    </Framed>
  );
}

/** Asks for the run until it has ended, then for what it has left; one that failed has left findings, but no report. */
function useLeft(dag: string, run: string, check: boolean, onDone: () => void) {
  const [state, setState] = React.useState("queued");
  const [found, setFound] = React.useState<unknown[] | null>(null);
  const [error, setError] = React.useState<Error | null>(null);
  React.useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let gone = false;
    const look = async () => {
      try {
        const now = await runState(dag, run);
        const left = !ENDED.includes(now) ? null : check ? await findings(dag, run) : now === "success" ? await reports(dag, run) : [];
        if (gone) return;
        setState(now);
        setFound(left);
        if (ENDED.includes(now)) onDone();
        else timer = setTimeout(() => void look(), ASK_EVERY);
      } catch (problem) {
        if (!gone) setError(problem as Error);
      }
    };
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [dag, run]);
  return { state, found, error };
}

function Result({ detail, run, check, onDone }: { detail: Detail; run: string; check: boolean; onDone: () => void }) {
  const { state, found, error } = useLeft(detail.dag_id, run, check, onDone);
  const page = `/dags/${encodeURIComponent(detail.dag_id)}/runs/${encodeURIComponent(run)}`;
  const failed = state === "failed";
  return (
    <>
      {error ? <Problem error={error} title={say("error_text")} />
        : !found ? <Box alignItems="center" display="flex" gap="3" role="status"><Spinner size="sm" />{say("waiting", { state: sayKnown(state, "state_") })}</Box>
          : check ? <Findings failed={failed} found={found as Finding[]} /> : <Reports failed={failed} found={found} />}
      <Text fontSize="sm">{say("run")}: <Box as="span" color="fg.info"><Link to={page}>{run}</Link></Box></Text>
    </>
  );
}

function Reports({ found, failed }: { found: unknown[]; failed: boolean }) {
  if (failed) return <Problem error={new Error(say("preview_failed_help"))} title={say("preview_failed")} />;
  if (!found.length) return <Note status="warning">{say("preview_empty")}</Note>;
  return (
    <>
      <Note status="success" title={say("preview_done")} />
      {found.map((report, at) => <Report key={at} report={report} />)}
    </>
  );
}

interface Known {
  rows?: { read?: number; rejected_of_sample?: number };
  estimate?: { rows_sent?: number; requests?: number };
  items?: unknown[];
}

function Report({ report }: { report: unknown }) {
  const { rows, estimate, items } = report as Known;
  const facts = [
    ["would_read", rows?.read], ["would_send", estimate?.rows_sent],
    ["would_request", estimate?.requests], ["would_reject", rows?.rejected_of_sample],
  ] as const;
  return (
    <>
      <SimpleGrid as="dl" columns={4} gap="4" m="0">
        {facts.map(([word, value]) => value !== undefined && <Fact key={word} label={say(word)}>{count(value)}</Fact>)}
      </SimpleGrid>
      {items && items.length > 0 && (
        <Box>
          <Text fontSize="sm" fontWeight="medium" mb="1">{say("items")}</Text>
          <Lines label={say("items")} text={items.map((item) => JSON.stringify(item, null, 2)).join("\n")} />
        </Box>
      )}
      <Box as="details">
        <Box as="summary" cursor="pointer" fontSize="sm">{say("whole_report")}</Box>
        <Lines label={say("whole_report")} text={JSON.stringify(report, null, 2)} />
      </Box>
    </>
  );
}
