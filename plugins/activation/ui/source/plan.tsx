// The plan of a pipeline: the Markdown beside its DAG, as far as that uses Markdown. Everything is text, never HTML.

import { Box, Heading, Text } from "./host";

/** Text of several lines, such as a file; can be reached by the keyboard because it may scroll. */
export const Lines = ({ text, label }: { text: string; label: string }) => (
  <Box as="pre" aria-label={label} bg="bg.subtle" borderRadius="md" fontFamily="mono" fontSize="xs" m="0" maxH="96" overflow="auto" p="3" role="region" tabIndex={0}>
    {text}
  </Box>
);

/** The Markdown without the blocks of files, which stand elsewhere on the page. */
export const Plan = ({ text }: { text: string }) => (
  <Box fontSize="sm">{text.replace(/\n### `[^\n]*`\n+~~~~[\s\S]*?\n~~~~/g, "").split("\n").map((line, at) => <Line key={at} text={line} />)}</Box>
);

function Line({ text }: { text: string }) {
  if (!text.trim()) return null;
  if (text.startsWith("#")) return <Heading as="h3" mb="1" mt="3" size="sm">{words(text.replace(/^#+\s*/, ""))}</Heading>;
  if (/^\s*[*-] /.test(text)) return <Text ps="4" textIndent="-3">• {words(text.replace(/^\s*[*-] /, ""))}</Text>;
  return <Text mb="1">{words(text)}</Text>;
}

/** `code` and **strong** words of a line. */
const words = (line: string): React.ReactNode[] => line.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part, at) => {
  if (part.startsWith("`")) return <code key={at}>{part.slice(1, -1)}</code>;
  return part.startsWith("**") ? <strong key={at}>{part.slice(2, -2)}</strong> : part;
});
