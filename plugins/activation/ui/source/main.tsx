// What the Airflow UI loads. It looks for a component by the name under which the plugin is registered.

import { Pipeline } from "./detail";
import { Box, useSearchParams } from "./host";
import { List } from "./list";
import { Waiting } from "./parts";

interface Place {
  dagId?: string;
  runId?: string;
}

let settled = false;

/** Whether the page may show. The host mounts a component anew when the address changes for the first time after it was loaded,
 * and what somebody is typing would lose the focus: so the address is set again at once, to what it is.
 */
function useSettled(): boolean {
  const [asked, set] = useSearchParams();
  const [ready, setReady] = React.useState(settled);
  React.useEffect(() => {
    if (settled) return;
    settled = true;
    set(asked, { replace: true });
    setReady(true);
  }, []);
  return ready;
}

/** The list, one pipeline of it, or the pipeline of the DAG or run whose page this is a tab of. */
function Page({ dagId, runId }: Place) {
  const ready = useSettled();
  const [asked] = useSearchParams();
  const dag = asked.get("dag");
  const back = new URLSearchParams(asked);
  for (const name of ["dag", "pipeline"]) back.delete(name);
  return (
    <Box as="main" height="100%" overflowY="auto" p="4" width="100%">
      {!ready ? <Waiting /> : dagId ? <Pipeline dag={dagId} run={runId} /> : dag ? <Pipeline back={`?${back}`} dag={dag} pipeline={asked.get("pipeline") ?? undefined} /> : <List />}
    </Box>
  );
}

Object.assign(globalThis, { Pipelines: Page, Pipeline: Page, AirflowPlugin: Page });
