// What `mien kfold` prints.
import { relative } from 'node:path';
import type { KFoldReport, SeedResult } from '../run/kfold.ts';
import type { Leaks } from '../run/leaks.ts';
import { deviationOf, type Pooled } from '../run/pooling.ts';
import { range, share, whole } from '../run/shares.ts';
import { aligned, wrapped } from './results.ts';

/** The folds' table, the pooled figures of each seed, and what the folds share between training and test. */
export function reportFolds(report: KFoldReport): string {
  const { model, folds, init, out, results, missing, seeds, leaks, protocol, adapter } = report;
  const folder = relative(process.cwd(), out) || out;
  const start = init === null ? 'random weights' : `the weights of ${relative(process.cwd(), init)}`;
  const lines = [
    `adapter: ${adapter ?? 'none was needed'}`,
    `${model} on CK+, ${folds} folds, ${protocol.epochs} epochs from ${start}, ten-crop`,
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
          `epoch ${result.bestEpoch} of 0 to ${result.epochs - 1}`,
        ]),
      ]),
      '',
      ...seeds.flatMap((seed) => ofSeed(seed)),
      ...overSeeds(seeds),
    );
  }
  if (missing.length > 0) {
    const first = missing.slice(0, 12).map(({ seed, fold }) => (seeds.length > 1 ? `${fold} of seed ${seed}` : fold));
    lines.push(
      `still to be trained: fold ${first.join(', ')}${missing.length > 12 ? ', ...' : ''}; go on with --out ${folder}`,
    );
  }
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

function leakLines({ folds, tested, imagesOfSubjects, imagesOfSequences, twice, never }: Leaks): string[] {
  const [least, most] = [Math.min, Math.max].map((of) => of(...folds.map(({ n }) => n)));
  const sizes = least === most ? `${least}` : `${least} to ${most}`;
  const people =
    imagesOfSubjects === null
      ? 'people cannot be told apart without file names'
      : `${whole(imagesOfSubjects)} of ${whole(tested)} test images show people who are trained on`;
  return [
    `the folds test ${sizes} images each, ${whole(tested)} in all: ${twice} images twice, ${never} never`,
    `  ${people}; ${imagesOfSequences === 0 ? 'no sequence is' : `${imagesOfSequences} test images are of sequences`} in both`,
    '',
  ];
}

function meaning({ folds, leaks }: KFoldReport): string[] {
  const sentences = [
    'The best epoch is chosen on the images that it is reported on, as the published figures are: it is optimistic. The last epoch is the honest figure.',
    ...(leaks.imagesOfSubjects !== null && leaks.imagesOfSubjects > 0
      ? [
          'People are shared between training and test: for faces of new people, --folds subject is the figure to believe.',
        ]
      : []),
    ...(folds === 'reference' && leaks.twice > 0
      ? [
          'These folds are the published protocol’s, overlaps included, so that figures compare; pooled n counts images tested twice twice, the interval counts sequences once.',
        ]
      : []),
  ];
  return sentences.flatMap((sentence) => wrapped(sentence));
}
