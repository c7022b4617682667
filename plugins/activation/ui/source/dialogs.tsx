// The dialogs that start a run: run now, replay, reset of the watermark.

import { type Detail, pause, start } from "./api";
import { Box, Button, Checkbox, Dialog, Flex, Input, Portal, Text } from "./host";
import { Note, Problem } from "./parts";
import { say, type Word } from "./words";

interface Framed {
  title: string;
  onClose: () => void;
  onSubmit?: () => void;
  footer: React.ReactNode;
  children: React.ReactNode;
}

/** A dialog with a form in it: Enter sends it, Escape closes it. */
export const Framed = ({ title, onClose, onSubmit, footer, children }: Framed) => (
  <Dialog.Root onOpenChange={(event: { open: boolean }) => event.open || onClose()} open scrollBehavior="inside" size="lg">
    <Portal>
      <Dialog.Backdrop />
      <Dialog.Positioner>
        <Dialog.Content>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              onSubmit?.();
            }}
            style={{ display: "contents" }}
          >
            <Dialog.Header><Dialog.Title>{title}</Dialog.Title></Dialog.Header>
            <Dialog.Body><Flex direction="column" gap="4">{children}</Flex></Dialog.Body>
            <Dialog.Footer>{footer}</Dialog.Footer>
          </form>
        </Dialog.Content>
      </Dialog.Positioner>
    </Portal>
  </Dialog.Root>
);

interface Ask {
  label: string;
  help?: string;
  wrong?: string | false;
  known?: string[];
  value: string;
  onChange: (value: string) => void;
}

/** A labelled line of text, with its help, what is wrong about it, and known values to choose from. */
export function Ask({ label, help, wrong, known = [], value, onChange }: Ask) {
  const id = React.useId();
  const told = wrong || help;
  return (
    <Box>
      <Text as="label" fontSize="sm" fontWeight="medium" htmlFor={id}>{label}</Text>
      <Input aria-describedby={told ? `${id}-told` : undefined} aria-invalid={Boolean(wrong)} id={id} list={known.length ? `${id}-known` : undefined} mt="1" onChange={(event: React.ChangeEvent<HTMLInputElement>) => onChange(event.target.value)} value={value} />
      {known.length > 0 && <datalist id={`${id}-known`}>{known.map((one) => <option key={one} value={one} />)}</datalist>}
      {told && <Text color={wrong ? "fg.error" : "fg.muted"} fontSize="xs" id={`${id}-told`} mt="1">{told}</Text>}
    </Box>
  );
}

export const Tick = ({ label, on, onChange }: { label: string; on: boolean; onChange: (on: boolean) => void }) => (
  <Checkbox.Root checked={on} onCheckedChange={(event: { checked: boolean | string }) => onChange(event.checked === true)}>
    <Checkbox.HiddenInput /><Checkbox.Control /><Checkbox.Label>{label}</Checkbox.Label>
  </Checkbox.Root>
);

/** A run of a paused DAG waits, so the dialogs offer to resume it. */
export const PausedNote = ({ detail, resume, onChange }: { detail: Detail; resume: boolean; onChange: (on: boolean) => void }) =>
  (detail.paused ? (
    <>
      <Note status="warning">{say("paused_note")}</Note>
      {detail.can.edit && <Tick label={say("resume_too")} on={resume} onChange={onChange} />}
    </>
  ) : null);

const MODES: Record<string, string[]> = { import: ["incremental", "full", "replay"], stream: ["incremental", "full"] };

interface Starting {
  detail: Detail;
  onClose: () => void;
  onDone: (said: string) => void;
}

/** Sends once, and keeps what went wrong. */
export function useSend(detail: Detail, onDone: (run: string) => void) {
  const [error, setError] = React.useState<Error | null>(null);
  const [busy, setBusy] = React.useState(false);
  const send = async (conf: Record<string, unknown>, resume: boolean) => {
    setBusy(true);
    setError(null);
    try {
      const run = await start(detail.dag_id, conf);
      if (resume) await pause(detail.dag_id, false);
      onDone(run);
    } catch (problem) {
      setError(problem as Error);
    } finally {
      setBusy(false);
    }
  };
  return { error, busy, send };
}

export function RunDialog({ detail, onClose, onDone, replay }: Starting & { replay: boolean }) {
  const has = (name: string) => detail.params.includes(name);
  const modes = has("mode") ? (MODES[detail.kind] ?? []) : [];
  const [mode, setMode] = React.useState(replay ? "replay" : (modes[0] ?? ""));
  const [texts, setTexts] = React.useState<Record<string, string>>({});
  const [dry, setDry] = React.useState(false);
  const [resume, setResume] = React.useState(false);
  const { error, busy, send } = useSend(detail, (run) => onDone(say("started_run", { run })));
  const text = (name: string) => texts[name] ?? "";
  const ask = (name: Word, more: Partial<Ask> = {}) => has(name) && (
    <Ask label={say(name)} onChange={(value) => setTexts({ ...texts, [name]: value })} value={text(name)} {...more} />
  );
  const known = (of: "run" | "code") => [...new Set(detail.rejects.map((one) => one[of]))];
  const wrong = text("limit") !== "" && !/^[1-9]\d*$/.test(text("limit")) && say("limit_wrong");
  const limited = detail.kind === "import" || (detail.kind === "stream" && dry);
  const submit = () => {
    if (wrong) return;
    const written = ["interval_start", "interval_end", ...(mode === "replay" ? ["replay_run", "replay_code"] : [])];
    void send({
      ...(modes.length ? { mode } : {}),
      ...(limited && text("limit") ? { limit: Number(text("limit")) } : {}),
      ...(dry && mode !== "replay" ? { dry_run: true } : {}),
      ...Object.fromEntries(written.filter((name) => text(name)).map((name) => [name, text(name)])),
    }, resume);
  };
  return (
    <Framed
      footer={<><Button onClick={onClose} variant="outline">{say("cancel")}</Button><Button loading={busy} type="submit">{say("start")}</Button></>}
      onClose={onClose} onSubmit={submit} title={`${say(replay ? "replay" : "run_now")}: ${detail.pipeline}`}
    >
      <PausedNote detail={detail} onChange={setResume} resume={resume} />
      {!replay && modes.length > 0 && <Modes mode={mode} modes={modes} onChoose={setMode} />}
      {mode === "replay" && <>{ask("replay_code", { known: known("code") })}{ask("replay_run", { known: known("run") })}</>}
      {ask("interval_start")}
      {ask("interval_end", { help: say("interval_help") })}
      {limited && ask("limit", { help: say("limit_help"), wrong })}
      {has("dry_run") && mode !== "replay" && <Tick label={say("dry_run")} on={dry} onChange={setDry} />}
      {error && <Problem error={error} title={say("error_text")} />}
    </Framed>
  );
}

const Modes = ({ modes, mode, onChoose }: { modes: string[]; mode: string; onChoose: (mode: string) => void }) => (
  <Box as="fieldset" border="0" m="0" p="0">
    <Text as="legend" fontSize="sm" fontWeight="medium" mb="1">{say("mode")}</Text>
    {modes.map((one) => (
      <Flex align="center" as="label" fontSize="sm" gap="2" key={one} py="1">
        <input checked={mode === one} name="mode" onChange={() => onChoose(one)} type="radio" value={one} />
        {say(`mode_${one}` as Word)}
      </Flex>
    ))}
  </Box>
);

/** Moves the watermark, after the name of the pipeline was written. */
export function ResetDialog({ detail, onClose, onDone }: Starting) {
  const [to, setTo] = React.useState("");
  const [typed, setTyped] = React.useState("");
  const [resume, setResume] = React.useState(false);
  const { error, busy, send } = useSend(detail, (run) => onDone(say("started_run", { run })));
  const sure = typed.trim() === detail.pipeline;
  return (
    <Framed
      footer={(
        <>
          <Button onClick={onClose} variant="outline">{say("cancel")}</Button>
          <Button colorPalette="danger" disabled={!sure} loading={busy} type="submit">{say("reset_do")}</Button>
        </>
      )}
      onClose={onClose}
      onSubmit={() => sure && void send({ mode: "reset", ...(to.trim() ? { reset_to: to.trim() } : {}) }, resume)}
      title={`${say("reset")}: ${detail.pipeline}`}
    >
      <Note status="warning">{say("reset_help")}</Note>
      <PausedNote detail={detail} onChange={setResume} resume={resume} />
      <Ask help={say("reset_to_help")} label={say("reset_to")} onChange={setTo} value={to} />
      <Ask label={say("reset_confirm", { name: detail.pipeline })} onChange={setTyped} value={typed} />
      {error && <Problem error={error} title={say("error_text")} />}
    </Framed>
  );
}
