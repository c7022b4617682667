// The server's answers, and the calls. What changes something is a call of Airflow's own REST API: so Airflow checks the right
// and writes its audit log.

export type Kind = "import" | "export" | "stream" | "upload";

/** The rows of a run by their end; null where nobody knows. */
interface Counted {
  read: number | null;
  sent: number | null;
  rejected: number | null;
  skipped: number | null;
}

export interface Last extends Counted {
  run: string;
  state: string;
  status: string | null;
  mode: string | null;
  started: string | null;
  ended: string | null;
  seconds: number | null;
  error: string | null;
}

export interface Day {
  day: string;
  runs: number;
  failed: number;
  read: number;
  sent: number;
  rejected: number;
}

export interface Row {
  dag_id: string;
  pipeline: string;
  kind: Kind;
  type: string;
  data: string | null;
  description: string | null;
  source: { engine: string | null; connection: string | null; name: string | null };
  target: { label: string | null; connection: string | null };
  status: string;
  paused: boolean;
  running: string | null;
  schedule: string;
  cron: string | null;
  zone: string;
  next_run: string | null;
  last: Last | null;
  week: Day[];
  watermark: string | null;
  lag_seconds: number | null;
  creator: string | null;
  created: string | null;
  changed: string | null;
  changed_by: string | null;
  can: { run: boolean; edit: boolean };
}

export interface Counters {
  all: number;
  active: number;
  running: number;
  completed: number;
  failing: number;
}

export interface Pipelines {
  at: string;
  counters: Counters;
  pipelines: Row[];
}

export interface Run extends Counted {
  run_id: string;
  state: string;
  mode: string | null;
  started: string | null;
  ended: string | null;
  seconds: number | null;
  watermark: string | null;
  error: string | null;
}

export interface Reject {
  run: string;
  code: string;
  message?: string;
  count: number;
  samples: string[];
}

export interface Detail extends Row {
  runs: Run[];
  rejects: Reject[];
  watermarks: { at: string; watermark: string | null }[];
  file: { name: string; text: string } | null;
  plan: string | null;
  note?: string | null;
  asset_id: number | null;
  params: string[];
}

/** One thing that a test of the connections looked at. */
export interface Finding {
  check: string;
  verdict: "ok" | "wrong" | "skipped";
  text: string;
}

/** An answer that is not a success, with the text that the server gave. */
export class Refused extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/** An address below the place where Airflow is, which may be behind a base path. */
export const address = (path: string): string => new URL(path, document.baseURI).href;

const id = encodeURIComponent;

/** A pipeline by its DAG; a DAG of somebody else may hold several, then its own name tells which. */
export interface Of {
  dag: string;
  pipeline?: string | undefined;
}

const below = ({ dag, pipeline }: Of, end = "", run = ""): string => {
  const asked = new URLSearchParams({ ...(pipeline ? { pipeline } : {}), ...(run ? { run } : {}) });
  return `activation/api/pipelines/${id(dag)}${end}${asked.size ? `?${asked}` : ""}`;
};

export const rejectsAddress = (of: Of, run?: string): string => address(below(of, "/rejects.csv", run));

async function call<T>(path: string, init: RequestInit = {}): Promise<T> {
  const answer = await fetch(address(path), { credentials: "same-origin", ...init, headers: { "Content-Type": "application/json" } });
  if (answer.status === 401) {
    const next = encodeURIComponent(location.href);
    location.replace(address(`api/v2/auth/login?next=${next}`));
  }
  if (!answer.ok) throw new Refused(answer.status, await reason(answer));
  return (await answer.json()) as T;
}

async function reason(answer: Response): Promise<string> {
  const text = await answer.text();
  try {
    const { detail } = JSON.parse(text) as { detail?: unknown };
    return typeof detail === "string" ? detail : JSON.stringify(detail ?? text);
  } catch {
    return text.slice(0, 300) || answer.statusText;
  }
}

export const getPipelines = (signal: AbortSignal) => call<Pipelines>("activation/api/pipelines", { signal });
export const getPipeline = (of: Of, signal: AbortSignal) => call<Detail>(below(of), { signal });

export const pause = (dag: string, paused: boolean) =>
  call(`api/v2/dags/${id(dag)}?update_mask=is_paused`, { method: "PATCH", body: JSON.stringify({ is_paused: paused }) });

/** Start a run; gives its id. */
export async function start(dag: string, conf: Record<string, unknown>): Promise<string> {
  const body = JSON.stringify({ logical_date: null, conf });
  return (await call<{ dag_run_id: string }>(`api/v2/dags/${id(dag)}/dagRuns`, { method: "POST", body })).dag_run_id;
}

export const runState = async (dag: string, run: string): Promise<string> =>
  (await call<{ state: string }>(`api/v2/dags/${id(dag)}/dagRuns/${id(run)}`)).state;

const MOST_TASKS = 100; // Airflow gives no more at once; a pipeline is split into 64 tasks at most.

interface Task {
  task_id: string;
  map_index: number;
}

/** What the tasks of an ended run have left under a key; one of a split pipeline is there several times. */
async function left(dag: string, run: string, key: string, of: (task: Task) => boolean): Promise<unknown[]> {
  const place = `api/v2/dags/${id(dag)}/dagRuns/${id(run)}/taskInstances`;
  const { task_instances: tasks } = await call<{ task_instances: Task[] }>(`${place}?limit=${MOST_TASKS}`);
  const asked = tasks.filter(of).map(async (task) => {
    const query = `map_index=${task.map_index}&stringify=false`;
    try {
      return (await call<{ value: unknown }>(`${place}/${id(task.task_id)}/xcomEntries/${key}?${query}`)).value;
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return undefined;
      throw error;
    }
  });
  return (await Promise.all(asked)).filter((value) => value !== undefined && value !== null);
}

/** What the tasks of an ended run returned; the check before a run returns nothing that is of use here. */
export const reports = (dag: string, run: string): Promise<unknown[]> =>
  left(dag, run, "return_value", (task) => task.task_id !== "check" && task.task_id !== "delay");

/** What a run has found at source and destination, whether it went well or not; what several tasks say stands there once. */
export async function findings(dag: string, run: string): Promise<Finding[]> {
  const found = (await left(dag, run, "findings", () => true)).flat() as Finding[];
  return [...new Map(found.map((one) => [JSON.stringify(one), one])).values()];
}
