// What the server says, asked again every few seconds while something runs and the page is looked at.

const POLL = 5_000;
const LINGER = 30_000; // After an action, so long is asked again: Airflow needs a moment until a new run shows.

export interface Loaded<T> {
  value: T | null;
  error: Error | null;
  reload: () => void;
  expect: () => void;
}

/** Load once, and again while ``busy`` says so of what was loaded; ``key`` names what is loaded. */
export function useLoaded<T>(key: string, load: (signal: AbortSignal) => Promise<T>, busy: (value: T) => boolean): Loaded<T> {
  const [found, setFound] = React.useState<{ key: string; value: T } | null>(null);
  const [error, setError] = React.useState<Error | null>(null);
  const [turn, setTurn] = React.useState(0);
  const until = React.useRef(0);
  const value = found?.key === key ? found.value : null;

  const reload = React.useCallback(() => setTurn((number) => number + 1), []);
  const expect = React.useCallback(() => {
    until.current = Date.now() + LINGER;
    reload();
  }, [reload]);

  React.useEffect(() => {
    const stop = new AbortController();
    load(stop.signal)
      .then((answer) => {
        setFound({ key, value: answer });
        setError(null);
      })
      .catch((problem: unknown) => {
        if (!stop.signal.aborted) setError(problem instanceof Error ? problem : new Error(String(problem)));
      });
    return () => stop.abort();
  }, [key, turn]);

  React.useEffect(() => {
    const wanted = () => (value !== null && busy(value)) || Date.now() < until.current;
    const again = () => {
      if (document.visibilityState === "visible" && wanted()) reload();
    };
    const timer = wanted() ? setInterval(again, POLL) : undefined;
    document.addEventListener("visibilitychange", again);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", again);
    };
  }, [value, turn]);

  return { value, error, reload, expect };
}
