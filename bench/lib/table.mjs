// The one table at the end. A line is { row, what, ours, c, j, ratio, goal, met }; `met` may be null: not judged.

const heads = { row: 'row', what: 'what', ours: 'ours', c: 'C', j: 'J', ratio: 'ratio', goal: 'goal', met: 'met' };
const columns = Object.keys(heads);

const shown = (line) =>
  Object.fromEntries(
    columns.map((column) => {
      const value = line[column];
      if (column === 'met') return [column, value === null || value === undefined ? '–' : value ? 'yes' : 'NO'];
      return [column, value === null || value === undefined ? '–' : String(value)];
    }),
  );

export function textTable(lines) {
  const rows = [heads, ...lines.map(shown)];
  const width = Object.fromEntries(columns.map((column) => [column, Math.max(...rows.map((row) => row[column].length))]));
  return rows.map((row) => columns.map((column) => row[column].padEnd(width[column])).join('  ').trimEnd()).join('\n');
}

export function markdownTable(lines) {
  const row = (cells) => `| ${columns.map((column) => cells[column].replaceAll('|', '\\|')).join(' | ')} |`;
  return [row(heads), `|${columns.map(() => '---').join('|')}|`, ...lines.map((line) => row(shown(line)))].join('\n');
}
