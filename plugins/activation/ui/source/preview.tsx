// Preview and test of the connections: a run that sends nothing, whose report is shown when it has ended.

import { type Detail, reports, runState } from "./api";
import { Ask, Framed, PausedNote, useSend } from "./dialogs";
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
    const most = check ? 1 : Number(limit);
    const asks = detail.params.includes("mode") ? { mode: "preview" } : { dry_run: true };
    void send({ ...asks, ...(limited && most ? { limit: most } : {}) }, resume);
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

/** Asks for the run until it has ended, then for what its tasks returned. */
function useReports(dag: string, run: string, onDone: () => void) {
  const [state, setState] = React.useState("queued");
  const [found, setFound] = React.useState<unknown[] | null>(null);
  const [error, setError] = React.useState<Error | null>(null);
  React.useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let gone = false;
    const look = async () => {
      try {
        const now = await runState(dag, run);
        const returned = now === "success" ? await reports(dag, run) : null;
        if (gone) return;
        setState(now);
        setFound(returned);
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
  const { state, found, error } = useReports(detail.dag_id, run, onDone);
  const page = `/dags/${encodeURIComponent(detail.dag_id)}/runs/${encodeURIComponent(run)}`;
  if (error) return <Problem error={error} title={say("error_text")} />;
  if (state === "failed") {
    return (
      <>
        <Problem error={new Error(say("preview_failed_help"))} title={say("preview_failed")} />
        <Box color="fg.info"><Link to={page}>{run}</Link></Box>
      </>
    );
  }
  if (!found) {
    return <Box alignItems="center" display="flex" gap="3" role="status"><Spinner size="sm" />{say("waiting", { state: sayKnown(state, "state_") })}</Box>;
  }
  if (!found.length) return <Note status="warning">{say("preview_empty")}</Note>;
  return (
    <>
      <Note status="success" title={say("preview_done")}>{check ? say("check_ok") : undefined}</Note>
      {!check && found.map((report, at) => <Report key={at} report={report} />)}
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
