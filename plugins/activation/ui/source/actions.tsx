// The buttons of one pipeline. Each is an ordinary DAG run or a call of Airflow's own API.

import { type Detail, pause } from "./api";
import { Box, Button, Flex } from "./host";
import { PreviewDialog } from "./preview";
import { ResetDialog, RunDialog } from "./dialogs";
import { Note, Problem } from "./parts";
import { say } from "./words";

type Open = "run" | "replay" | "preview" | "check" | "reset" | null;

export function Actions({ detail, onDone }: { detail: Detail; onDone: () => void }) {
  const [open, setOpen] = React.useState<Open>(null);
  const [said, setSaid] = React.useState("");
  const [error, setError] = React.useState<Error | null>(null);
  const [busy, setBusy] = React.useState(false);
  const has = (name: string) => detail.params.includes(name);
  const moves = has("mode") && has("reset_to");
  const turn = async () => {
    setBusy(true);
    setError(null);
    await pause(detail.dag_id, !detail.paused).then(onDone).catch((problem: Error) => setError(problem));
    setBusy(false);
  };
  const done = (text: string) => {
    setOpen(null);
    setSaid(text);
    onDone();
  };
  const close = () => setOpen(null);
  const run = (what: Open, word: "run_now" | "replay" | "preview" | "test_connection" | "reset", variant = "outline") => (
    <Button disabled={!detail.can.run} onClick={() => setOpen(what)} title={detail.can.run ? undefined : say("no_right_run")} variant={variant}>
      {say(word)}
    </Button>
  );
  return (
    <Box>
      <Flex gap="2" wrap="wrap">
        {run("run", "run_now", "solid")}
        {run("preview", "preview")}
        {run("check", "test_connection")}
        {has("replay_run") && detail.rejects.length > 0 && run("replay", "replay")}
        <Button disabled={!detail.can.edit || busy} onClick={() => void turn()} title={detail.can.edit ? undefined : say("no_right_edit")} variant="outline">
          {say(detail.paused ? "resume" : "pause")}
        </Button>
        {moves && run("reset", "reset")}
      </Flex>
      {said && <Box mt="2"><Note status="success">{said}</Note></Box>}
      {error && <Box mt="2"><Problem error={error} title={say("error_text")} /></Box>}
      {(open === "run" || open === "replay") && <RunDialog detail={detail} onClose={close} onDone={done} replay={open === "replay"} />}
      {(open === "preview" || open === "check") && <PreviewDialog check={open === "check"} detail={detail} onClose={close} onDone={onDone} />}
      {open === "reset" && <ResetDialog detail={detail} onClose={close} onDone={done} />}
    </Box>
  );
}
