// The repository's own rules, each with a sentence that says what to do.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  .split('\0')
  .filter((path) => path && existsSync(path));

const problems = [];
const read = (path) => readFileSync(path, 'utf8');

// A lock file that names a host installs only where that host answers.
for (const path of files.filter((path) => path.endsWith('package-lock.json'))) {
  if (/"resolved":\s*"http/.test(read(path))) {
    problems.push(`${path} names a registry host: npm config set omit-lockfile-registry-resolved=true, then npm install`);
  }
}

// One subject per file.
const source = /\.(rs|ts|mjs|js|svelte|css|html|sql)$/;
const generated = new Set(['ui/shared/wire.ts']);
for (const path of files.filter((path) => source.test(path) && !generated.has(path))) {
  const lines = read(path).split('\n').length;
  if (lines > 600) problems.push(`${path} has ${lines} lines: split it by subject (600 at most)`);
}

// One number, one decision, so that it can be cited. Gaps are numbers that other branches have taken.
const numbers = files.filter((path) => path.startsWith('docs/decisions/')).map((path) => path.split('/')[2].slice(0, 4));
for (const [index, number] of numbers.entries()) {
  if (!/^\d{4}$/.test(number)) problems.push(`docs/decisions/${number}… should start with four digits`);
  if (numbers.indexOf(number) !== index) problems.push(`two decisions have the number ${number}`);
}

for (const problem of problems) console.log(problem);
console.log(problems.length ? `${problems.length} rule(s) broken` : `${files.length} files keep the rules`);
process.exit(problems.length ? 1 : 0);
