export const usage = `node bench/run.mjs [--case P1,P2] [--quick] [--n 30] [--debug-build]

  --case LIST    CASE=P1,P2   only these rows
  --quick        QUICK=1      n = 8 and shorter runs
  --n N                       samples of each kind
  --part LIST    PART=5.3     of P10, only these cases of RFC 8867
  --capture      CAPTURE=1    the packets of joins as well: target/bench/packets/*.pcap, their steps in the samples, P3-steps.md
  --debug-build               the programs of target/debug instead of target/release; the line between them stays as it is`;

/** The options, or what is wrong with them. */
export function parseOptions(args, environment) {
  const options = {
    cases: list(environment.CASE), parts: list(environment.PART), quick: on(environment.QUICK), n: null, profile: 'release',
    capture: on(environment.CAPTURE),
  };
  const rest = [...args];
  while (rest.length) {
    const flag = rest.shift();
    if (flag === '--case') options.cases = list(rest.shift());
    else if (flag === '--part') options.parts = list(rest.shift());
    else if (flag === '--quick') options.quick = true;
    else if (flag === '--n') options.n = Number(rest.shift());
    else if (flag === '--capture') options.capture = true;
    else if (flag === '--debug-build') options.profile = 'debug';
    else return `What is ${flag}?`;
  }
  options.n ??= options.quick ? 8 : 30;
  if (!Number.isInteger(options.n) || options.n < 1) return 'N is a whole number from 1.';
  return options;
}

const list = (text) => (text ?? '').split(',').map((id) => id.trim().toUpperCase()).filter(Boolean);
const on = (text) => !['', '0', undefined].includes(text);
