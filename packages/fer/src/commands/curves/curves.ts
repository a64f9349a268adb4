// Learning curves of one run or several (Node only).
import { basename, dirname, relative, resolve, sep } from 'node:path';
import { ValueError } from '@mien/tensor';
import { finalText, readRecord, runCurve, runTitle } from '../../runs/record.ts';
import { MOST_COMPARED, runComparison } from './runComparison.ts';

/** The learning curve of one run, or the test curves of several in one figure, as SVG. Throws ValueError for too many. */
export function curves(folders: readonly string[]): string {
  if (folders.length === 0) throw new ValueError('curves: expected one run folder or more, got none');
  if (folders.length > MOST_COMPARED) {
    throw new ValueError(`curves: expected at most ${MOST_COMPARED} runs, got ${folders.length}`);
  }
  const records = folders.map(readRecord);
  const [first] = records;
  if (records.length === 1 && first) return runCurve(first);
  const names = shortNames(folders);
  const runs = records.map((record, i) => ({
    name: names[i] as string,
    caption: `${runTitle(record.summary)}: ${finalText(record)}`,
    points: record.metrics,
  }));
  const tests = new Set(records.map(({ summary: { dataset, fold, folds } }) => [dataset, fold, folds].join()));
  const note = tests.size > 1 ? 'the runs are tested on different images, so their accuracies do not compare' : '';
  return runComparison(runs, `${records.length} runs`, note);
}

/** The folders' paths below their common folder. */
function shortNames(folders: readonly string[]): string[] {
  const paths = folders.map((folder) => resolve(folder));
  let above = dirname(paths[0] as string);
  while (!paths.every((path) => path.startsWith(above + sep))) {
    if (dirname(above) === above) return paths;
    above = dirname(above);
  }
  return paths.map((path) => relative(above, path) || basename(path));
}
