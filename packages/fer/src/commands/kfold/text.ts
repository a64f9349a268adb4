// What `mien kfold` prints.
import { relative } from 'node:path';
import { aligned, wrapped } from '../../cli/table.ts';
import type { Leaks } from '../../datasets/ckplus.ts';
import { range, share, whole } from '../../runs/accuracy.ts';
import type { KFoldReport, SeedResult } from './kfold.ts';
import { deviationOf, type Pooled } from './pooling.ts';

/** The folds' table, the pooled figures of each seed, and what the folds share between training and test. */
export function reportFolds(report: KFoldReport): string {
  const { model, folds, init, out, results, missing, seeds, leaks, protocol, adapter } = report;
  const folder = relative(process.cwd(), out) || out;
  const start = init === null ? 'random weights' : `the weights of ${relative(process.cwd(), init)}`;
  const lines = [
    `adapter: ${adapter ?? 'none was needed'}`,
    `${model} on CK+, ${folds} folds, ${protocol.epochs} ${protocol.epochs === 1 ? 'epoch' : 'epochs'} from ${start}, ten-crop`,
    '',
  ];
  if (results.length > 0) {
    lines.push(
      ...aligned([
        ['seed', 'fold', 'images', 'last epoch', 'best epoch', 'minutes', 'which was the best'],
        ...results.map((result) => [
          String(result.seed),
          String(result.fold),
          String(result.n),
          share(result.last),
          share(result.best),
          (result.trainSeconds / 60).toFixed(1),
          `epoch ${result.bestEpoch + 1} of ${result.epochs}`,
        ]),
      ]),
      '',
      ...seeds.flatMap((seed) => ofSeed(seed)),
      ...overSeeds(seeds),
    );
  }
  for (const seed of new Set(missing.map((each) => each.seed))) {
    const left = missing.filter((each) => each.seed === seed).map(({ fold }) => fold);
    lines.push(`still to be trained with seed ${seed}: ${left.length === 1 ? 'fold' : 'folds'} ${left.join(', ')}`);
  }
  if (missing.length > 0) lines.push(`go on with mien kfold --out ${folder}`, '');
  lines.push(...leakLines(leaks), ...meaning(report), `written to ${folder}`, '');
  return lines.join('\n');
}

function ofSeed({ seed, finished, last, best }: SeedResult): string[] {
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

/** Seeds with all folds, as means: how far luck alone moves the figure. */
function overSeeds(seeds: readonly SeedResult[]): string[] {
  const whole = seeds.filter(({ finished }) => finished === 10);
  if (whole.length < 2) return [];
  const line = (name: string, of: 'last' | 'best'): string => {
    const accuracies = whole.map((seed) => seed[of].accuracy);
    const mean = accuracies.reduce((sum, each) => sum + each, 0) / accuracies.length;
    return `  ${name}: ${share(mean)}, deviation ${(100 * (deviationOf(accuracies) ?? 0)).toFixed(1)}`;
  };
  return [`mean of ${whole.length} seeds, pooled`, line('last epoch', 'last'), line('best epoch', 'best'), ''];
}

function leakLines({ tested, sharedSubject, sharedSequence, testedTwice, testedNever }: Leaks): string[] {
  const shared = (images: number, what: string): string =>
    `${images === 0 ? 'no test image is' : `${whole(images)} test images are`} of a ${what} that is trained on in the same fold`;
  return [
    `the ten folds test ${whole(tested)} images: ${testedTwice} twice, ${testedNever} never`,
    ...(sharedSubject === null || sharedSequence === null
      ? ['  people and sequences cannot be told apart without file names']
      : [`  ${shared(sharedSubject, 'person')}; ${shared(sharedSequence, 'sequence')}`]),
    '',
  ];
}

function meaning({ folds, leaks }: KFoldReport): string[] {
  const sentences = [
    'The best epoch is chosen on the images that it is reported on, as the published figures are: it is optimiztic. The last epoch is the honest figure.',
    ...((leaks.sharedSubject ?? 0) > 0
      ? [
          'People are shared between training and test: for faces of new people, --folds subject is the figure to believe.',
        ]
      : []),
    ...(folds === 'reference' && leaks.testedTwice > 0
      ? [
          'These folds are the published protocol’s, overlaps included, so that figures compare; pooled n counts images tested twice twice, the interval counts sequences once.',
        ]
      : []),
  ];
  return sentences.flatMap((sentence) => wrapped(sentence));
}
