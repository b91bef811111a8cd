/** A line of history in the customer's language. */

import type { HistoryLine } from "../../../shared/wire";
import { say, sayIfKnown } from "../say";
import { dayAndMonth, timeOfDay } from "../words";

/** The server's own words for what this page does not know. */
export function lineWords(line: HistoryLine | undefined, otherwise: string, now = Date.now()): string {
  switch (line?.kind) {
    case "call_over":
      return callOver(line.reason, line.live_ms);
    case "queue_closed":
      return line.opens_at === undefined ? say("line_closed") : opens("line_opens", line.opens_at, now);
    case "queue_has_closed":
      return line.opens_at === undefined ? say("line_has_closed") : opens("line_has_closed_opens", line.opens_at, now);
    case "video_asked":
    case "nobody_here":
    case "everybody_left":
    case "bot_gone":
    case "customer_left":
    case "customer_gone":
    case "asleep":
      return say(`line_${line.kind}`);
    case "joined":
    case "left":
    case "closed_by":
      return say(`line_${line.kind}`, { name: line.name });
    case "took_over":
      return line.before === undefined
        ? say("line_took_over", { name: line.name })
        : say("line_took_over_from", { name: line.name, before: line.before });
    case "assigned":
    case "asked":
      return say(`line_${line.kind}`, { by: line.by, name: line.name });
    case "handed_over":
      return line.queue === undefined ? say("line_handed_back") : say("line_handed_to", { queue: line.queue });
    case "bot_hands_over":
      return line.bot === undefined ? say("line_bot_handed_over") : say("line_bot_hands_over", { bot: line.bot });
    case "bot_finished":
      return say("line_bot_finished", { bot: line.bot });
    default:
      return otherwise;
  }
}

function callOver(reason: string, ms: number): string {
  const ended = ms > 0 ? say("line_call_over", { time: lasted(ms) }) : say("line_call_before");
  return sayIfKnown(`line_${reason}`, { ended }) ?? ended;
}

/** `2:14`, as on a telephone. */
function lasted(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** By the customer's own clock. */
function opens(words: "line_opens" | "line_has_closed_opens", at: number, now: number): string {
  const time = timeOfDay(at);
  const today = new Date(at).toDateString() === new Date(now).toDateString();
  return today ? say(`${words}_today`, { time }) : say(words, { day: dayAndMonth(new Date(at)), time });
}
