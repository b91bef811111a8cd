// How figures are said in the table.
import { round } from './statistics.mjs';

/** "302 (305) ms; agent 302, customer 290": median (p95) of the later end, then each end's median. */
export function ms({ n, failed, both, agent, customer }) {
  if (!n) return `all ${failed} failed`;
  const failures = failed ? `; ${failed} of ${n + failed} failed` : '';
  return `${round(both.p50)} (${round(both.p95)}) ms [agent ${round(agent.p50)}, customer ${round(customer.p50)}]${failures}`;
}
