// The table of what the laws of algorithms really ran: operations and algorithms down, adapters across.

/** Lines of the table, or none: distinct shapes over all laws, by adapter; `-` where the adapter cannot run an algorithm. */
export function algorithmTable(records) {
  const shapes = new Map();
  const adapters = new Set();
  for (const { where, ran } of records) {
    if (!ran) continue;
    const adapter = [`${ran.adapter} (${where})`, ran.belief].filter(Boolean).join(', ');
    adapters.add(adapter);
    const key = `${ran.operation}|${ran.algorithm}`;
    const row = shapes.get(key) ?? new Map();
    row.set(adapter, new Set([...(row.get(adapter) ?? []), ...ran.shapes]));
    shapes.set(key, row);
  }
  if (shapes.size === 0) return [];
  const columns = [...adapters];
  const labels = columns.map((_, i) => String.fromCharCode(65 + i));
  const order = (key) => [...shapes.keys()].findIndex((other) => other.split('|')[0] === key.split('|')[0]);
  const sorted = [...shapes].sort(([a], [b]) => order(a) - order(b));
  const rows = sorted.map(([key, row]) => {
    const [operation, algorithm] = key.split('|');
    return [operation, algorithm, ...columns.map((adapter) => `${row.get(adapter)?.size ?? '-'}`)];
  });
  const table = [['operation', 'algorithm', ...labels], ...rows];
  const widths = table[0].map((_, i) => Math.max(...table.map((row) => row[i].length)));
  const line = (row) =>
    `  ${row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}`;
  return [
    'Distinct shapes that each algorithm ran in its laws, counted at the dispatch, by adapter:',
    ...columns.map((adapter, i) => `  ${labels[i]}: ${adapter}`),
    ...table.map(line),
  ];
}
