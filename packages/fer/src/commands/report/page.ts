// The HTML page of a run's report, with its figures inside, for light and dark screens and for paper.

import { PNG } from 'pngjs';
import { datasetOf } from '../../datasets/catalog.ts';
import { PIXELS, SIDE } from '../../datasets/faces.ts';
import { wilson } from '../../metrics.ts';
import { grouped, range, share, viewsText } from '../../runs/accuracy.ts';
import type { RunRecord } from '../../runs/record.ts';
import { runTitle } from '../../runs/record.ts';
import { settingText } from '../../runs/settingText.ts';
import type { TrainingConfig } from '../../training/config.ts';
import type { Assessment } from '../evaluate/evaluate.ts';
import { meaningOf } from '../evaluate/meaning.ts';
import type { EvaluationReport } from '../evaluate/report.ts';
import { hasClassIntervals } from '../evaluate/text.ts';
import type { Mistake } from './mistakes.ts';
import { reliabilityDiagram } from './reliabilityDiagram.ts';
import type { Repeat } from './repeat.ts';
import { STYLE } from './style.ts';

/** The content of a page. */
export interface ReportParts {
  readonly record: RunRecord;
  readonly repeat: Repeat;
  readonly curve: string;
  /** The evaluation of the last checkpoint; null without the data. */
  readonly last: Assessment | null;
  /** The evaluation of the best epoch's checkpoint on the same images, where it is another one. */
  readonly best: Assessment | null;
  readonly confusion: string | null;
  readonly mistakes: readonly Mistake[];
}

/** The page as HTML. */
export function reportPage(parts: ReportParts): string {
  const { record, last, best, curve, confusion } = parts;
  const title = runTitle(record.summary);
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(title)}</title><style>${STYLE}</style></head><body><main>`,
    `<header><p class="kind">Training run</p><h1>${escaped(title)}</h1>${headline(parts)}</header>`,
    last ? section('Figures', figures(parts, last)) : '',
    section('What this figure means', meaning(parts)),
    section('Learning curve', figure(curve, 'Loss and accuracy of training and test by epoch')),
    last && confusion
      ? section(
          'By class',
          `${figure(confusion, 'Confusion matrix: rows are labels, columns are predictions')}${classTable(last.report)}`,
        )
      : '',
    last ? section('Confidence', calibration(last.report)) : '',
    last ? section('Hardest mistakes', mistakes(parts, last)) : '',
    section('How it was made', settings(parts, best ?? last)),
    '</main></body></html>\n',
  ].join('\n');
}

function section(title: string, body: string): string {
  return `<section><h2>${title}</h2>${body}</section>`;
}

/** A figure in the page, without its background; the style inverts it on dark screens. */
function figure(svg: string, label: string): string {
  const inside = svg.replace(/<rect width="\d+" height="\d+" fill="#ffffff"\/>\n/, '');
  return `<figure>${inside.replace('<svg ', `<svg role="img" aria-label="${escaped(label)}" `)}</figure>`;
}

function headline({ record: { summary, metrics }, last }: ReportParts): string {
  const { complete, epochs, protocol } = summary;
  const state = complete
    ? `${epochs} epochs, complete`
    : `stopped in epoch ${epochs + 1} of ${protocol.epochs}: preliminary figures`;
  if (!last) {
    const end = metrics.at(-1);
    return `<p class="big">${share(end?.testAccuracy ?? null)}</p><p>test accuracy of epoch ${(end?.epoch ?? 0) + 1}; ${state}. Its data was not found, so nothing was evaluated; pass its path with --data.</p>`;
  }
  const { report } = last;
  const crops = viewsText(report.crops);
  return `<p class="big">${share(report.accuracy)} <span>95 % interval ${range(report.interval)}</span></p>
<p>accuracy of the last epoch on ${escaped(report.split)}, ${grouped(report.n)} images, ${crops}; ${state}.</p>`;
}

function figures({ record: { summary, metrics }, best }: ReportParts, { report }: Assessment): string {
  const { bestEpoch, bestTestAccuracy, selectedOn } = summary;
  const rows: (readonly [name: string, value: string, note: string])[] = [
    ['Accuracy, last epoch', share(report.accuracy), `95 % interval ${range(report.interval)}`],
  ];
  if (report.accuracyWithoutDuplicates !== null && report.intervalWithoutDuplicates !== null) {
    const { nWithoutDuplicates: rest, n } = report;
    rows.push([
      'without duplicates of training images',
      share(report.accuracyWithoutDuplicates),
      rest === n
        ? 'no test image occurs in the training set'
        : `95 % interval ${range(report.intervalWithoutDuplicates)}, ${grouped(rest ?? 0)} of ${grouped(n)} images`,
    ]);
  }
  if (report.crops === 10) rows.push(['center crop only', share(report.accuracySingleView), 'one view per image']);
  if (best) {
    const { accuracy, interval, members, split } = best.report;
    const chosen = members[0]?.chosenOn;
    const isFair = chosen !== null && chosen !== undefined && !split.endsWith(chosen);
    rows.push([
      `Accuracy, best epoch (${(bestEpoch ?? 0) + 1})`,
      share(accuracy),
      isFair ? `95 % interval ${range(interval)}; selected on ${chosen}` : 'optimistic: selected on these same images',
    ]);
  } else if (bestEpoch !== null) {
    rows.push(['Best epoch', String(bestEpoch + 1), 'the last one']);
  }
  const tested = datasetOf(report.dataset).splits?.test;
  if (tested && report.split !== selectedOn) {
    const end = metrics.at(-1);
    rows.push([
      `${tested.name}, last epoch`,
      share(summary.testAccuracy ?? end?.testAccuracy ?? null),
      `best ${share(bestTestAccuracy)} at epoch ${(bestEpoch ?? 0) + 1}, selected on ${selectedOn}${summary.protocol.crops === 1 ? ' with one view per image' : ''}`,
    ]);
  }
  rows.push(
    ['Macro F1', share(report.macro.f1), 'mean over the classes'],
    ['Cross-entropy', report.loss.toFixed(4), 'of the averaged logits'],
    ['Calibration error', share(report.ece), 'ECE, 15 bins, before any temperature'],
  );
  const body = rows.map(
    ([name, value, note]) =>
      `<tr><th>${escaped(name)}</th><td>${value}</td><td class="note">${escaped(note)}</td></tr>`,
  );
  return `<table class="figures">${body.join('')}</table>`;
}

function meaning({ record, last }: ReportParts): string {
  const sentences = last
    ? meaningOf(last.report)
    : ['The test accuracy of the curve is measured on the images that also select the best epoch.'];
  if (!record.summary.complete) {
    sentences.unshift(
      'The run was stopped before its learning rate decayed; the figure is not that of the finished network.',
    );
  }
  if (record.summary.protocol.select === 'private') {
    sentences.unshift('The best epoch was selected on PrivateTest, so its figure there is optimistic.');
  }
  return `<ul>${sentences.map((sentence) => `<li>${escaped(sentence)}</li>`).join('')}</ul>`;
}

function classTable(report: EvaluationReport): string {
  const { perClass, macro, confusion, n } = report;
  const cell = (value: number | null): string => `<td>${value === null ? '' : (100 * value).toFixed(1)}</td>`;
  const intervals = hasClassIntervals(report);
  const rows = perClass.map((score, i) => {
    const between = score.n > 0 ? range(wilson(confusion[i]?.[i] ?? 0, score.n)).replace(' %', '') : '';
    return `<tr><th>${escaped(score.name)}</th><td>${grouped(score.n)}</td>${cell(score.precision)}${cell(score.recall)}${intervals ? `<td class="quiet">${between}</td>` : ''}${cell(score.f1)}</tr>`;
  });
  const head = `<tr><th>class</th><th>images</th><th>precision</th><th>recall</th>${intervals ? '<th>95 % interval</th>' : ''}<th>F1</th></tr>`;
  const foot = `<tr><th>macro average</th><td>${grouped(n)}</td>${cell(macro.precision)}${cell(macro.recall)}${intervals ? '<td></td>' : ''}${cell(macro.f1)}</tr>`;
  return `<table class="classes"><thead>${head}</thead><tbody>${rows.join('')}</tbody><tfoot>${foot}</tfoot></table><p class="quiet">Scores in %. Precision: the share of a class's predictions that are right. Recall: the share of a class's images that are predicted right.</p>`;
}

function calibration({ ece, bins, calibration: fitted }: EvaluationReport): string {
  const panels = [{ title: 'Without a temperature', caption: `calibration error ${share(ece)}`, bins }];
  if (fitted.bins !== null && fitted.temperature !== null) {
    const caption = `calibration error ${share(fitted.ece)}, temperature ${fitted.temperature.toFixed(3)}`;
    panels.push({ title: `With a temperature fitted on ${fitted.fittedOn}`, caption, bins: fitted.bins });
  }
  const sentence =
    fitted.temperature === null
      ? `No temperature: ${fitted.reason}.`
      : `The temperature divides the logits; it was fitted on ${grouped(fitted.fittedImages)} images of ${fitted.fittedOn}, none of which is shown here, and does not change the accuracy.`;
  return `${figure(reliabilityDiagram(panels, 'Confidence and accuracy'), 'Reliability diagram: accuracy by confidence')}<p class="quiet">${escaped(sentence)} On the dashed line, accuracy equals confidence.</p>`;
}

function mistakes({ mistakes }: ReportParts, { split, report }: Assessment): string {
  if (mistakes.length === 0) return '<p>No image was misclassified.</p>';
  const faces = mistakes.map(({ image, label, predicted, confidence, ofLabel }) => {
    const source = `data:image/png;base64,${facePng(split.faces.images.subarray(image * PIXELS, (image + 1) * PIXELS))}`;
    const percent = (value: number): string => `${(100 * value).toFixed(value < 0.01 ? 1 : 0)}&nbsp;%`;
    return `<li><img src="${source}" width="96" height="96" alt="a face labeled ${escaped(label)}"><b>${escaped(predicted)}</b> ${percent(confidence)}<br><span>labeled ${escaped(label)}, ${percent(ofLabel)}</span><br><span>image ${image}</span></li>`;
  });
  const wrong = report.n - Math.round(report.accuracy * report.n);
  return `<p>Of ${grouped(wrong)} misclassified images, those whose labels have the lowest probabilities.${datasetOf(report.dataset).noisyLabels ? ' Some of the labels may be wrong.' : ''}</p><ul class="faces">${faces.join('')}</ul>`;
}

function facePng(gray: Uint8Array): string {
  const png = new PNG({ width: SIDE, height: SIDE, colorType: 0 });
  for (const [i, value] of gray.entries()) png.data.fill(value, 4 * i, 4 * i + 3).fill(255, 4 * i + 3, 4 * i + 4);
  return PNG.sync.write(png, { colorType: 0 }).toString('base64');
}

function settings({ record: { summary }, repeat }: ReportParts, evaluated: Assessment | null): string {
  const { protocol, adapter, init, parameters, seed } = summary;
  const run: (readonly [string, string])[] = [
    ['network', `${summary.model}, ${grouped(parameters)} parameters`],
    ['initial weights', init ?? 'random'],
    ['seed', String(seed)],
    [
      'images',
      `${grouped(summary.trainImages)} for training, ${grouped(summary.testImages)} for the test of each epoch`,
    ],
    [
      'trained',
      `${grouped(summary.steps)} steps in ${duration(summary.trainSeconds)}, ${summary.imagesPerSecond} images/s`,
    ],
    [
      'adapter',
      adapter + (evaluated && evaluated.report.adapter !== adapter ? `; evaluated on ${evaluated.report.adapter}` : ''),
    ],
  ];
  const rows = [...run, ...protocolRows(protocol)].map(
    ([name, value]) => `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`,
  );
  const besides =
    repeat.besides.length === 0
      ? ''
      : `<p class="quiet">Settings without an option of the command: ${repeat.besides.join(', ')}.</p>`;
  return `<p>This command repeats the run:</p><pre>${escaped(repeat.command)}</pre>${besides}<table class="settings">${rows.join('')}</table><p class="quiet">The page contains images of the data set and is subject to its terms.</p>`;
}

function protocolRows(protocol: TrainingConfig): (readonly [string, string])[] {
  const { epochs, batchSize, microBatch, learningRate, schedule, momentum, nesterov, weightDecay, decayNorm, clip } =
    protocol;
  const { labelSmoothing, softLabels = 0, ema, augmentation, input, crops, select } = protocol;
  const decay =
    schedule.kind === 'cosine'
      ? `cosine to 0 after ${schedule.warmup} epochs of warm-up`
      : `times ${schedule.factor} every ${schedule.every} epochs after epoch ${schedule.after}`;
  return [
    ['epochs', String(epochs)],
    ['batch size', microBatch === undefined ? String(batchSize) : `${batchSize}, in parts of ${microBatch}`],
    ['learning rate', `${learningRate}, ${decay}`],
    [
      'optimizer',
      `SGD, momentum ${momentum}${nesterov ? ' (Nesterov)' : ''}, weight decay ${weightDecay}${decayNorm ? '' : ', none on BatchNorm'}`,
    ],
    ['gradients', clip === null ? 'not clipped' : `clipped: ${clip.kind} ${clip.limit}`],
    ['label smoothing', String(labelSmoothing)],
    ['targets', softLabels === 0 ? 'labels' : `FER+ votes with weight ${softLabels}, labels with the rest`],
    ['averaged weights', ema === null ? 'none' : `decay ${ema}, used for evaluation`],
    ['augmentation', `mirror, ${augmentation === null ? 'random crop' : settingText(augmentation)}`],
    [
      'input',
      `${input.size}x${input.size}, ${input.channels === 1 ? 'gray' : `${input.channels} channels`}, mean ${input.mean}, std ${input.std}`,
    ],
    [
      'test of each epoch',
      `${crops === 10 ? 'ten views' : 'one view'} per image, ten in the last; best epoch selected on ${select === 'private' ? 'PrivateTest' : 'the test images'}`,
    ],
  ];
}

function duration(seconds: number): string {
  const minutes = seconds / 60;
  if (minutes < 2) return `${seconds.toFixed(0)} s`;
  return minutes < 120 ? `${minutes.toFixed(0)} min` : `${(minutes / 60).toFixed(1)} h`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
