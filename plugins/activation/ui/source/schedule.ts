// When a pipeline runs, in words of the page's language.

import type { Row } from "./api";
import { language, say, type Word } from "./words";

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const WEEKDAYS = "1,2,3,4,5";
const MOST_TIMES = 3;

const PRESETS: Record<string, string> = {
  "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
};

// What the file says: the clock with its zone, delay, first and last day; or what it runs after; or both.
const BOTH = /^(?:(?!after )(.+?)(?: or (?=after )|$))?(?:after (.+))?$/;
const CLOCK = /^(@\w+|continuous|once|\S+(?: \S+){4})(?: (?!\+|from |until )(\S+))?(?: \+ (\S+))?(?: from (\S+))?(?: until (\S+))?$/;
const ITEM = /^(?:\*|(\d+|[a-z]{3})(?:-(\d+|[a-z]{3}))?)(?:\/(\d+))?$/;

/** The schedule of a pipeline; what these words do not cover is told in the server's, which are English, or as the file says it. */
export function scheduleOf({ cron, schedule, zone }: Pick<Row, "cron" | "schedule" | "zone">): string {
  if (schedule === "once") return say("once");
  if (cron === null) return schedule === "by hand" ? say("by_hand") : schedule || "–";
  const [, clock, names] = BOTH.exec(cron) ?? [];
  const said = clock ? clocked(clock, zone) : "";
  if (said === null) return language() === "en" ? schedule || cron : cron;
  const behind = names ? say("after_names", { names: named(names) }) : "";
  return said && behind ? say("either", { one: said, other: behind }) : said || behind;
}

const named = (names: string): string =>
  (language() === "ko" ? names.replaceAll(" and ", ", ").replaceAll(" or ", " 또는 ").replace(/(^|, |또는 )asset /g, "$1에셋 ") : names);

/** The clock's part; null if there are no words for it. */
function clocked(clock: string, zone: string): string | null {
  const [, cron = "", own, delay, from, until] = CLOCK.exec(clock) ?? [];
  const when = cron === "continuous" || cron === "once" ? say(cron) : inWords(PRESETS[cron] ?? cron, own ?? zone);
  if (when === null) return null;
  const told = delay ? say("delayed", { when, delay: lasting(delay) }) : when;
  const since = from ? say("from_day", { when: told, day: from }) : told;
  return until ? say("until_day", { when: since, day: until }) : since;
}

/** A duration of a pipeline file, such as ``1h30m``. */
const lasting = (text: string): string =>
  text.replace(/(\d+)([dhms])(?![a-z])/g, (_, n: string, unit: string) => say(`unit_${unit}` as Word, { n }));

function inWords(cron: string, zone: string): string | null {
  const [minute = "", hour = "", date = "", month, day = ""] = cron.toLowerCase().split(" ");
  const minutes = numbers(minute, 0, 59);
  const hours = numbers(hour, 0, 23);
  const dates = numbers(date, 1, 31);
  const days = numbers(day, 0, 7)?.map((one) => one % 7);
  if (!minutes || !hours || !dates || !days || month !== "*") return null;
  const everyDate = dates.length === 31;
  const week = [...new Set(days)].sort((one, other) => ((one + 6) % 7) - ((other + 6) % 7));
  if (everyDate && week.length === 7) {
    if (hours.length === 24) return withinHour(minutes);
    if (minutes.length === 1 && minutes[0] === 0 && hours.length > MOST_TIMES && even(hours, 24)) {
      return say("every_hours", { n: 24 / hours.length });
    }
  }
  if (minutes.length * hours.length > MOST_TIMES) return null;
  const at = `${hours.flatMap((one) => minutes.map((other) => `${two(one)}:${two(other)}`)).join(", ")} (${zone})`;
  if (everyDate && week.length === 7) return say("daily", { at });
  if (everyDate) return week.join() === WEEKDAYS ? say("weekdays", { at }) : say("weekly", { at, days: weekNames(week) });
  return week.length === 7 ? say("monthly", { at, days: dates.join(", ") }) : null;
}

function withinHour(minutes: number[]): string | null {
  if (minutes.length === 60) return say("every_minute");
  if (minutes.length > 1) return even(minutes, 60) ? say("every_minutes", { n: 60 / minutes.length }) : null;
  return minutes[0] ? say("hourly_at", { minute: two(minutes[0]) }) : say("hourly");
}

const even = (found: number[], of: number): boolean => found.every((one, at) => one * found.length === at * of);

const two = (value: number): string => String(value).padStart(2, "0");

/** Days of the week by their names; 2023-01-01 was a Sunday. */
const weekNames = (week: number[]): string => {
  const names = new Intl.DateTimeFormat(language(), { timeZone: "UTC", weekday: week.length > 1 ? "short" : "long" });
  return week.map((one) => names.format(Date.UTC(2023, 0, 1 + one))).join(", ");
};

/** The numbers that a field of a cron expression stands for, in order; null if it is none. */
function numbers(field: string, low: number, high: number): number[] | null {
  const found = new Set<number>();
  for (const item of field.split(",")) {
    const [whole, first, last, step] = ITEM.exec(item) ?? [];
    if (!whole || step === "0") return null;
    const begin = first === undefined ? low : number(first);
    const end = last !== undefined ? number(last) : first === undefined || step ? high : begin;
    if (!(begin >= low && end <= high)) return null;
    for (let one = begin; one <= end; one += Number(step ?? 1)) found.add(one);
  }
  return [...found].sort((one, other) => one - other);
}

const number = (text: string): number => (/^\d/.test(text) ? Number(text) : DAYS.indexOf(text));
