// A run as one HTML file that needs nothing else: settings, curves, figures, mistakes, and what the figures mean.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeFile } from '@mien/nn/files';
import { obtain } from '../../runs/data.ts';
import type { RunEvent } from '../../runs/events.ts';
import { BEST, LAST, readCheckpointFile } from '../../runs/folder.ts';
import { ofOne, type RunRecord, readRecord } from '../curves/curves.ts';
import { confusionFigure } from '../evaluate/confusions.ts';
import { type Assessment, assess } from '../evaluate/evaluate.ts';
import { hardestMistakes, type Mistake } from './mistakes.ts';
import { reportPage } from './page.ts';
import { type Repeat, repeatOf } from './repeat.ts';

/** What `report` is told. */
export interface ReportOptions {
  /** The folder of a run. */
  readonly run: string;
  /** Where its data is now; by default where it was trained on. */
  readonly data?: string;
  /** The HTML file. Default report.html in the run's folder. */
  readonly out?: string;
  readonly adapter?: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

/** What a page is made from. */
export interface ReportParts {
  readonly record: RunRecord;
  readonly repeat: Repeat;
  readonly curve: string;
  /** The last checkpoint on the images that the figure is of; null where the data is gone. */
  readonly last: Assessment | null;
  /** The best epoch's checkpoint on the same images, where that is another one. */
  readonly best: Assessment | null;
  readonly confusion: string | null;
  readonly mistakes: readonly Mistake[];
}

const MISTAKES = 24;

/**
 * Writes the report of a run and gives its path. Figures are of the last checkpoint: on PrivateTest once a run on FER2013
 * is complete, on the images of its tests before. Without the data the page has settings and curves only, and says so.
 */
export async function report(options: ReportOptions): Promise<string> {
  const { run, onEvent = () => {}, signal, adapter } = options;
  const record = readRecord(run);
  const { note } = readCheckpointFile(join(run, LAST));
  const data = options.data === undefined ? (note.data ?? null) : resolve(options.data);
  // What the user names must be there; what a checkpoint names may have moved since.
  const there = options.data !== undefined || data === null || existsSync(data);
  let [last, best]: [Assessment | null, Assessment | null] = [null, null];
  if (there) {
    const faces = await obtain(data, note.drawnSeed ?? 1, onEvent);
    const { complete, privateTestAccuracy, bestEpoch, epochs } = record.summary;
    const split = complete && privateTestAccuracy !== undefined ? { split: 'private' as const } : {};
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
    curve: ofOne(record),
    last,
    best,
    confusion: last && confusionFigure(last.report),
    mistakes: last ? hardestMistakes(last, MISTAKES) : [],
  });
  const out = options.out ?? join(run, 'report.html');
  writeFile(out, page);
  return out;
}
