// What a test of the connections has found at source and destination.

import type { Finding } from "./api";
import { Badge, Box, Text } from "./host";
import { Note, Problem } from "./parts";
import { say, sayKnown, type Word } from "./words";

const MARKS: Record<Finding["verdict"], readonly [palette: string, sign: string, word: Word]> = {
  ok: ["success", "✓", "verdict_ok"], wrong: ["failed", "✕", "verdict_wrong"], skipped: ["gray", "–", "verdict_skipped"],
};

/** How the run ended, and each thing that it looked at. */
export function Findings({ found, failed }: { found: Finding[]; failed: boolean }) {
  return (
    <>
      <Outcome failed={failed} found={found} />
      {found.length > 0 && (
        <Box aria-label={say("check_found")} as="ul" listStyleType="none" m="0" p="0">
          {found.map((one, at) => <Line finding={one} key={at} />)}
        </Box>
      )}
    </>
  );
}

function Outcome({ found, failed }: { found: Finding[]; failed: boolean }) {
  const has = (verdict: Finding["verdict"]) => found.some((one) => one.verdict === verdict);
  if (has("wrong")) return <Problem title={say("check_wrong")} />;
  if (failed) return <Problem error={new Error(say("preview_failed_help"))} title={say("preview_failed")} />;
  if (!found.length) return <Note status="warning" title={say("check_untold")}>{say("check_untold_help")}</Note>;
  return has("skipped") ? <Note title={say("check_partly")} /> : <Note status="success" title={say("check_ok")} />;
}

function Line({ finding: { check, verdict, text } }: { finding: Finding }) {
  const [palette, sign, word] = MARKS[verdict] ?? MARKS.skipped;
  return (
    <Box alignItems="start" as="li" borderColor="border" borderTopWidth="1px" columnGap="3" data-check={check} data-verdict={verdict} display="grid" gridTemplateColumns="6rem 1fr" py="2">
      <Box><Badge colorPalette={palette} variant="subtle"><span aria-hidden="true">{sign}</span>{say(word)}</Badge></Box>
      <Box minW="0">
        <Text _firstLetter={{ textTransform: "uppercase" }} fontSize="sm" fontWeight="medium">{sayKnown(check, "checked_")}</Text>
        <Text color="fg.muted" fontSize="sm" overflowWrap="anywhere" whiteSpace="pre-line">{text}</Text>
      </Box>
    </Box>
  );
}
