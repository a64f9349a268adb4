// `mien audit`: problems of a data set.
import { type CommandDefinition, defineCommand } from '../../cli/defineCommand.ts';
import { DATA, text } from '../../cli/options.ts';
import { countTable, hiddenText, imagesText } from '../../cli/table.ts';
import { datasetOf, splitNames } from '../../datasets/catalog.ts';
import type { Leaks } from '../../datasets/dataset.ts';
import { type AuditReport, audit, type Shared } from './audit.ts';

/** `mien audit`. */
export const auditCommand: CommandDefinition = defineCommand({
  name: 'audit',
  summary: 'Finds identical and near-identical images, conflicting labels, constant images, and leaks between splits.',
  argument: { flags: '<path>', summary: DATA },
  options: {
    ferplus: text('<file>', 'a fer2013new.csv: counts the images that FER+ calls "not a face"'),
    figure: text('<file>', 'write the pairs of images to this PNG file'),
  },
  notes:
    'Near-identical: the pixels of two images correlate by 0.98 or more, which brightness and contrast do not affect.',
  run: async ({ argument, options, signal, onEvent }) => {
    const report = await audit({ data: argument, ...options, signal, onEvent });
    return { report, text: auditText(report) };
  },
});

function auditText(report: AuditReport): string {
  const { identical, near, constant, folds, notFaces } = report;
  return [
    ...countTable(report.classes, report.splits),
    ...(report.hidden > 0 ? [hiddenText(report.hidden)] : []),
    '',
    `${imagesText(report.images)}, ${report.distinct.toLocaleString('en')} distinct; ${identical.groups.toLocaleString('en')} sets of identical images, ${identical.conflicting} of them with more than one label`,
    ...sharedLines(report, identical.across, 'identical to one'),
    `near-identical (correlation ${near.from} or more): ${near.pairs.toLocaleString('en')} pairs of distinct images, ${near.otherLabel} with two labels${near.sameSequence === null ? '' : `, ${near.sameSequence} within one sequence`}`,
    ...sharedLines(report, near.across, 'near-identical to one'),
    `constant: ${imagesText(constant.length)}${constant.length === 0 ? '' : `, rows ${constant.slice(0, 20).join(', ')}${constant.length > 20 ? ', ...' : ''}`}`,
    ...(folds ? [leakText(folds)] : []),
    ...(notFaces ? [notFaceText(notFaces)] : []),
    '',
  ].join('\n');
}

/** Of each pair of splits, only the images of the later one: those that are tested but known from training. */
function sharedLines({ dataset }: AuditReport, across: readonly Shared[], relation: string): string[] {
  const order = splitNames(datasetOf(dataset)).map(({ name }) => name);
  return across
    .filter(({ split, other }) => order.indexOf(split) > order.indexOf(other))
    .map(
      ({ split, other, images, sameLabel }) =>
        `  ${imagesText(images)} of ${split} ${relation} of ${other}, ${sameLabel} with the same label`,
    );
}

function leakText({ tested, sharedSubject, sharedSequence, testedTwice, testedNever }: Leaks): string {
  const leaks =
    sharedSubject === null
      ? 'subjects are unknown without file names'
      : `${sharedSubject} share a subject with training, ${sharedSequence} a sequence`;
  return `the reference's ten folds test ${tested} images: ${leaks}; ${testedTwice} are tested twice, ${testedNever} never`;
}

function notFaceText(notFaces: Readonly<Record<string, number>>): string {
  const counts = Object.entries(notFaces).map(([name, n]) => `${n} ${name}`);
  return `not a face according to FER+: ${counts.join(', ') || 'none'}`;
}
