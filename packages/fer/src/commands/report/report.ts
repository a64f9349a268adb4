// A run as one self-contained HTML file: figures and what they mean, curves, mistakes, settings (Node only).

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeFile } from '@mien/nn/files';
import { expectOptions, optionNames } from '@mien/tensor/internal';
import { datasetOf } from '../../datasets/catalog.ts';
import { obtain } from '../../runs/data.ts';
import type { RunEvent } from '../../runs/events.ts';
import { BEST, LAST, readCheckpointFile } from '../../runs/folder.ts';
import { readRecord, runCurve } from '../../runs/record.ts';
import { confusionFigure } from '../evaluate/confusions.ts';
import { type Assessment, assess } from '../evaluate/evaluate.ts';
import { hardestMistakes } from './mistakes.ts';
import { reportPage } from './page.ts';
import { repeatOf } from './repeat.ts';

/** Options of `report`. */
export interface ReportOptions {
  /** A run folder. */
  readonly run: string;
  /** The files of the data set. Default: those that the run was trained on. */
  readonly data?: string;
  /** The HTML file. Default: report.html in the run folder. */
  readonly out?: string;
  readonly adapter?: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

const reportOptions = optionNames<ReportOptions>({
  run: true,
  data: true,
  out: true,
  adapter: true,
  signal: true,
  onEvent: true,
});

const MISTAKES = 24;

/**
 * Writes the report of a run and returns its path. Figures are of the last checkpoint: on the held-out split of a complete
 * run, on the test split of a stopped one. Without the data the page has only settings and curves, and says so.
 */
export async function report(options: ReportOptions): Promise<string> {
  expectOptions('report', options, reportOptions);
  const { run, onEvent = () => {}, signal, adapter } = options;
  const record = readRecord(run);
  const { note } = readCheckpointFile(join(run, LAST));
  const data = options.data === undefined ? (note.data ?? null) : resolve(options.data);
  // A path in the options must exist; a path in a checkpoint may have moved.
  const available = options.data !== undefined || data === null || existsSync(data);
  let [last, best]: [Assessment | null, Assessment | null] = [null, null];
  if (available) {
    const faces = await obtain(data, note.drawnSeed ?? 1, onEvent);
    const { complete, privateTestAccuracy, bestEpoch, epochs } = record.summary;
    const heldOut = datasetOf(faces.dataset).splits?.heldOut;
    const split = complete && privateTestAccuracy !== undefined && heldOut ? { split: heldOut.option } : {};
    const common = {
      faces,
      onEvent,
      ...split,
      ...(signal ? { signal } : {}),
      ...(adapter === undefined ? {} : { adapter }),
    };
    last = await assess({ ...common, weights: join(run, LAST) });
    if (bestEpoch !== epochs - 1 && existsSync(join(run, BEST))) {
      best = await assess({ ...common, weights: join(run, BEST) }, { calibrated: false });
    }
  }
  const page = reportPage({
    record,
    repeat: repeatOf(record.summary, data),
    curve: runCurve(record),
    last,
    best,
    confusion: last && confusionFigure(last.report),
    mistakes: last ? hardestMistakes(last, MISTAKES) : [],
  });
  const out = options.out ?? join(run, 'report.html');
  writeFile(out, page);
  return out;
}
