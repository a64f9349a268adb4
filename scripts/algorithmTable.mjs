// The table of the shapes that algorithms ran in their laws.

/**
 * Lines of the table, or none: the number of distinct shapes over all laws, a row for each algorithm and a column for each adapter; `-`
 * if the adapter does not support the algorithm.
 * @param {readonly import('./testFiles.mjs').TestRecord[]} records
 */
export function algorithmTable(records) {
  /** @type {Map<string, Map<string, Set<string>>>} */
  const shapes = new Map();
  /** @type {Set<string>} */
  const adapters = new Set();
  for (const { where, ran } of records) {
    if (!ran) continue;
    const adapter = [`${ran.adapter} (${where})`, ran.belief].filter(Boolean).join(', ');
    adapters.add(adapter);
    const key = `${ran.operation}|${ran.algorithm}`;
    /** @type {Map<string, Set<string>>} */
    const row = shapes.get(key) ?? new Map();
    row.set(adapter, new Set([...(row.get(adapter) ?? []), ...ran.shapes]));
    shapes.set(key, row);
  }
  if (shapes.size === 0) return [];
  const columns = [...adapters];
  const labels = columns.map((_, i) => String.fromCharCode(65 + i));
  /** @param {string} key */
  const order = (key) => [...shapes.keys()].findIndex((other) => other.split('|')[0] === key.split('|')[0]);
  const sorted = [...shapes].sort(([a], [b]) => order(a) - order(b));
  const rows = sorted.map(([key, row]) => {
    const [operation = '', algorithm = ''] = key.split('|');
    return [operation, algorithm, ...columns.map((adapter) => `${row.get(adapter)?.size ?? '-'}`)];
  });
  const head = ['operation', 'algorithm', ...labels];
  const table = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...table.map((row) => row[i]?.length ?? 0)));
  /** @param {readonly string[]} row */
  const line = (row) =>
    `  ${row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')}`;
  return [
    'Distinct shapes that each algorithm ran in its laws, counted at the dispatch, by adapter:',
    ...columns.map((adapter, i) => `  ${labels[i]}: ${adapter}`),
    ...table.map(line),
  ];
}
