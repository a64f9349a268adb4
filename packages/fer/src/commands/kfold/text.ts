// The output of `mien kfold`.

import { relative } from 'node:path';
import { aligned, wrapped } from '../../cli/table.ts';
import type { Leaks } from '../../datasets/dataset.ts';
import { grouped, range, share } from '../../runs/accuracy.ts';
import type { KFoldReport, SeedResult } from './kfold.ts';
import { deviationOf, type Pooled } from './pooling.ts';

/** The table of folds, the pooled figures of each seed, and what the folds share between training and test. */
export function kfoldText(report: KFoldReport): string {
  const { model, folds, init, out, results, missing, seeds, leaks, protocol, adapter } = report;
  const folder = relative(process.cwd(), out) || out;
  const start = init === null ? 'random weights' : `the weights of ${relative(process.cwd(), init)}`;
  const lines = [
    `adapter: ${adapter ?? 'none'}`,
    `${model} on CK+, ${folds} folds, ${protocol.epochs} ${protocol.epochs === 1 ? 'epoch' : 'epochs'} from ${start}, ten-crop`,
    '',
  ];
  if (results.length > 0) {
    lines.push(
      ...aligned([
        ['seed', 'fold', 'images', 'last epoch', 'best epoch', 'minutes', 'epoch'],
        ...results.map((result) => [
          String(result.seed),
          String(result.fold),
          String(result.n),
          share(result.last),
          share(result.best),
          (result.trainSeconds / 60).toFixed(1),
          `best ${result.bestEpoch + 1} of ${result.epochs}`,
        ]),
      ]),
      '',
      ...seeds.flatMap((seed) => seedLines(seed)),
      ...seedMeans(seeds),
    );
  }
  for (const seed of new Set(missing.map((each) => each.seed))) {
    const left = missing.filter((each) => each.seed === seed).map(({ fold }) => fold);
    lines.push(`missing with seed ${seed}: ${left.length === 1 ? 'fold' : 'folds'} ${left.join(', ')}`);
  }
  if (missing.length > 0) lines.push(`resume with mien kfold --out ${folder}`, '');
  lines.push(...leakLines(leaks), ...meaning(report), `written to ${folder}`, '');
  return lines.join('\n');
}

function seedLines({ seed, finished, last, best }: SeedResult): string[] {
  const line = (name: string, pooled: Pooled): string[] => [
    name,
    share(pooled.accuracy),
    `${pooled.correct} of ${pooled.n}`,
    range(pooled.interval),
    share(pooled.mean),
    pooled.deviation === null ? '' : (100 * pooled.deviation).toFixed(1),
    '',
  ];
  return [
    `seed ${seed}, ${finished} of 10 folds pooled; the interval counts ${last.sequences} sequences`,
    ...aligned([
      ['', 'pooled', 'images', '95 % interval', 'mean of folds', 'deviation', ''],
      line('last epoch', last),
      line('best epoch', best),
    ]).map((text) => text.trimEnd()),
    '',
  ];
}

/** Means over the seeds with all folds: the deviation is the effect of the seed. */
function seedMeans(seeds: readonly SeedResult[]): string[] {
  const complete = seeds.filter(({ finished }) => finished === 10);
  if (complete.length < 2) return [];
  const line = (name: string, which: 'last' | 'best'): string => {
    const accuracies = complete.map((seed) => seed[which].accuracy);
    const mean = accuracies.reduce((sum, each) => sum + each, 0) / accuracies.length;
    return `  ${name}: ${share(mean)}, deviation ${(100 * (deviationOf(accuracies) ?? 0)).toFixed(1)}`;
  };
  return [`mean of ${complete.length} seeds, pooled`, line('last epoch', 'last'), line('best epoch', 'best'), ''];
}

function leakLines({ tested, sharedSubject, sharedSequence, testedTwice, testedNever }: Leaks): string[] {
  const shared = (images: number, what: string): string =>
    `${images === 0 ? 'no test image shares' : `${grouped(images)} test images share`} a ${what} with the training images of the same fold`;
  return [
    `the ten folds test ${grouped(tested)} images: ${testedTwice} twice, ${testedNever} never`,
    ...(sharedSubject === null || sharedSequence === null
      ? ['  people and sequences are unknown without file names']
      : [`  ${shared(sharedSubject, 'person')}; ${shared(sharedSequence, 'sequence')}`]),
    '',
  ];
}

function meaning({ folds, leaks }: KFoldReport): string[] {
  const sentences = [
    'The best epoch is selected on the images that it is reported on, as in the published figures, so it is optimistic. Report the last epoch.',
    ...((leaks.sharedSubject ?? 0) > 0
      ? ['People are shared between training and test: for new people, report the figure of --folds subject.']
      : []),
    ...(folds === 'reference' && leaks.testedTwice > 0
      ? [
          'These folds are the published ones, overlaps included, so that figures compare. The pooled n counts images that two folds test twice; the interval counts each sequence once.',
        ]
      : []),
  ];
  return sentences.flatMap((sentence) => wrapped(sentence));
}
