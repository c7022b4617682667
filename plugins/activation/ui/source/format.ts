// Numbers and instants as people of the chosen language and time zone read them.

import { language, say } from "./words";

/** The time zone that the Airflow UI shows; without a choice it is the browser's. */
function zone(): string {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const stored = localStorage.getItem("timezone");
  if (!stored) return own;
  const name = stored.replace(/^"|"$/g, "");
  try {
    return Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return own;
  }
}

/** An instant down to the minute, without the year if it is this one; or all of it, down to the second. */
export function instant(iso: string | null | undefined, seconds = false): string {
  if (!iso) return "–";
  const shown = new Date(iso);
  if (Number.isNaN(shown.getTime())) return iso;
  const parts = new Intl.DateTimeFormat("sv-SE", {
    timeZone: zone(), month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
    ...(seconds ? { second: "2-digit" } : {}),
    ...(seconds || shown.getFullYear() !== new Date().getFullYear() ? { year: "numeric" } : {}),
  });
  const of = Object.fromEntries(parts.formatToParts(shown).map((part) => [part.type, part.value]));
  const date = [of["year"], of["month"], of["day"]].filter(Boolean).join("-");
  return `${date} ${[of["hour"], of["minute"], of["second"]].filter(Boolean).join(":")}`;
}

/** A whole number with separators. */
export const count = (value: number | null | undefined): string =>
  value === null || value === undefined ? "–" : value.toLocaleString(language());

const UNITS = [["unit_d", 86400], ["unit_h", 3600], ["unit_m", 60], ["unit_s", 1]] as const;

/** Seconds as their two largest units, such as ``2h 5m``. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 10) return say("unit_s", { n: Math.round(seconds * 10) / 10 });
  let left = Math.round(seconds);
  const shown: string[] = [];
  for (const [unit, size] of UNITS) {
    const amount = Math.floor(left / size);
    left -= amount * size;
    if (amount) shown.push(say(unit, { n: amount }));
  }
  return shown.slice(0, 2).join(" ");
}

/** A day of the month and its month. */
export const day = (iso: string): string =>
  new Intl.DateTimeFormat(language(), { timeZone: "UTC", month: "short", day: "numeric" }).format(new Date(`${iso}T00:00:00Z`));
