// What `prepare` and `audit` print at their end.

import type { AuditReport } from '../commands/audit/audit.ts';
import type { PrepareReport, SplitCounts } from '../commands/prepare/prepare.ts';
import type { Leaks } from '../datasets/ckplus.ts';
import { FER2013_SPLITS as ORDER } from '../datasets/fer2013.ts';
import { aligned } from './table.ts';

/** The file that was written, with its images by class and split. */
export function reportPrepared({ out, classes, splits, notFaces, converted, hidden }: PrepareReport): string {
  return [
    ...countTable(classes, splits),
    ...(converted.color > 0 ? [`${images(converted.color)} in color turned gray`] : []),
    ...(converted.resized > 0 ? [`${images(converted.resized)} of another size brought to 48x48`] : []),
    ...(hidden > 0 ? [hiddenText(hidden)] : []),
    ...(notFaces > 0 ? [`${images(notFaces)} left out that FER+ calls "not a face"`] : []),
    `written to ${out}`,
    '',
  ].join('\n');
}

/** A row a class and a column a split, with the sums. */
export function countTable(classes: readonly string[], splits: readonly SplitCounts[]): string[] {
  const rows = classes.map((name, label) => [...splits.map(({ perClass }) => String(perClass[label] ?? 0)), name]);
  const sums = [...splits.map((split) => String(split.images)), 'all classes'];
  return aligned([[...splits.map(({ name }) => name), 'class'], ...rows, sums]);
}

/** A note of image files that were skipped because an operating system hides them. */
export function hiddenText(hidden: number): string {
  return `${images(hidden)} skipped: hidden files that an operating system added (._name, __MACOSX)`;
}

function images(n: number): string {
  return n === 1 ? '1 image' : `${n.toLocaleString('en')} images`;
}

/** What an audit found, the counts first. */
export function reportAudit(report: AuditReport): string {
  const { identical, near, constant, folds, notFaces } = report;
  return [
    ...countTable(report.classes, report.splits),
    ...(report.hidden > 0 ? [hiddenText(report.hidden)] : []),
    '',
    `${images(report.images)}, ${report.distinct.toLocaleString('en')} different; ${identical.groups.toLocaleString('en')} sets of identical ones, ${identical.conflicting} of them with more than one label`,
    ...shared(identical.across, 'identical to one'),
    `near-identical (correlation ${near.from} or more): ${near.pairs.toLocaleString('en')} pairs of different images, ${near.otherLabel} with two labels${near.sameSequence === null ? '' : `, ${near.sameSequence} within one sequence`}`,
    ...shared(near.across, 'near-identical to one'),
    `constant: ${images(constant.length)}${constant.length === 0 ? '' : `, rows ${constant.slice(0, 20).join(', ')}${constant.length > 20 ? ', ...' : ''}`}`,
    ...(folds ? foldLines(folds) : []),
    ...(notFaces
      ? [
          `not a face by FER+: ${
            Object.entries(notFaces)
              .map(([name, n]) => `${n} ${name}`)
              .join(', ') || 'none'
          }`,
        ]
      : []),
    '',
  ].join('\n');
}

function shared(across: AuditReport['identical']['across'], what: string): string[] {
  // Of two splits, the one that is tested is told: which of its images are known from elsewhere.
  return across
    .filter(({ split, other }) => ORDER.indexOf(split) > ORDER.indexOf(other))
    .map(
      ({ split, other, images: n, sameLabel }) =>
        `  ${images(n)} of ${split} ${what} of ${other}, ${sameLabel} with the same label`,
    );
}

function foldLines({ tested, sharedSubject, sharedSequence, testedTwice, testedNever }: Leaks): string[] {
  const leaks =
    sharedSubject === null
      ? 'subjects unknown without file names'
      : `${sharedSubject} share a subject with training, ${sharedSequence} a sequence`;
  return [
    `the reference's ten folds test ${tested} images: ${leaks}; ${testedTwice} are tested twice, ${testedNever} never`,
  ];
}
