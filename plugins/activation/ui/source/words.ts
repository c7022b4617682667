// The page's texts. A text that one language lacks does not compile.

import en from "./words/en.json";
import ko from "./words/ko.json";

export type Word = keyof typeof en;

const known: Record<string, Record<Word, string>> = { en, ko };

/** The language that the Airflow UI shows, as far as the page speaks it: its own choice first, then the browser's. */
function chosen(): string {
  const wanted = [localStorage.getItem("i18nextLng"), document.documentElement.lang, navigator.language];
  const first = wanted.find((tag) => tag) ?? "en";
  const language = first.toLowerCase().split("-")[0] ?? "en";
  return language in known ? language : "en";
}

export const language = (): string => chosen();

/** The text of a word with its values filled in. */
export function say(word: Word, values: Record<string, string | number> = {}): string {
  const text = known[chosen()]?.[word] ?? en[word];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The text of a word that the server sent; the server's own word if the page does not know it. */
export const sayKnown = (word: string, prefix = ""): string =>
  prefix + word in en ? say((prefix + word) as Word) : word;
