// The page of a run's report: one HTML text with its pictures inside, for screens light and dark and for paper.
import { PNG } from 'pngjs';
import { PIXELS, SIDE } from '../../datasets/faces.ts';
import { wilson } from '../../metrics.ts';
import { range, share, viewsText, whole } from '../../runs/accuracy.ts';
import type { TrainingConfig } from '../../training/config.ts';
import { runTitle } from '../curves/curves.ts';
import type { Assessment, EvaluationReport } from '../evaluate/evaluate.ts';
import { meaningOf } from '../evaluate/meaning.ts';
import { reliabilityDiagram } from './reliabilityDiagram.ts';
import { flat } from './repeat.ts';
import type { ReportParts } from './report.ts';
import { STYLE } from './style.ts';

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
    section('What this figure means, and what it does not', meaning(parts)),
    section('Learning curve', figure(curve, 'Loss and accuracy of training and test by epoch')),
    last && confusion
      ? section(
          'By class',
          `${figure(confusion, 'Confusion matrix: rows are what a face shows, columns what it was recognized as')}${classTable(last.report)}`,
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

/** A picture in the page, without its paper; on dark screens the style turns its light and dark. */
function figure(svg: string, label: string): string {
  const inside = svg.replace(/<rect width="\d+" height="\d+" fill="#ffffff"\/>\n/, '');
  return `<figure>${inside.replace('<svg ', `<svg role="img" aria-label="${escaped(label)}" `)}</figure>`;
}

function headline({ record: { summary, metrics }, last }: ReportParts): string {
  const { complete, epochs, protocol } = summary;
  const state = complete
    ? `${epochs} epochs, complete`
    : `stopped in epoch ${epochs + 1} of ${protocol.epochs}: these are figures on the way`;
  if (!last) {
    const end = metrics.at(-1);
    return `<p class="big">${share(end?.testAccuracy ?? null)}</p><p>test accuracy of epoch ${(end?.epoch ?? 0) + 1}; ${state}. Its data was not found, so that nothing could be evaluated; give its place by --data.</p>`;
  }
  const { report } = last;
  const crops = viewsText(report.crops);
  return `<p class="big">${share(report.accuracy)} <span>95 % interval ${range(report.interval)}</span></p>
<p>accuracy of the last epoch on ${escaped(report.split)}, ${whole(report.n)} images, ${crops}; ${state}.</p>`;
}

function figures({ record: { summary, metrics }, best }: ReportParts, { report }: Assessment): string {
  const { bestEpoch, bestTestAccuracy, selectedOn } = summary;
  const rows: (readonly [name: string, value: string, words: string])[] = [
    ['Accuracy, last epoch', share(report.accuracy), `95 % interval ${range(report.interval)}`],
  ];
  if (report.accuracyWithoutDuplicates !== null && report.intervalWithoutDuplicates !== null) {
    const { nWithoutDuplicates: left, n } = report;
    rows.push([
      'without images known from training',
      share(report.accuracyWithoutDuplicates),
      left === n
        ? 'no test image is a training image'
        : `95 % interval ${range(report.intervalWithoutDuplicates)}, ${whole(left ?? 0)} of ${whole(n)} images`,
    ]);
  }
  if (report.crops === 10) rows.push(['center crop alone', share(report.accuracySingleView), 'one view of each image']);
  if (best) {
    const { accuracy, interval, members, split } = best.report;
    const chosen = members[0]?.chosenOn;
    const honest = chosen !== null && chosen !== undefined && !split.endsWith(chosen);
    rows.push([
      `Accuracy, best epoch (${(bestEpoch ?? 0) + 1})`,
      share(accuracy),
      honest ? `95 % interval ${range(interval)}; chosen on ${chosen}` : 'optimiztic: chosen on these same images',
    ]);
  } else if (bestEpoch !== null) {
    rows.push(['Best epoch', String(bestEpoch + 1), 'it is the last one']);
  }
  if (report.split !== selectedOn && !report.split.endsWith('test')) {
    const end = metrics.at(-1);
    rows.push([
      'PublicTest, last epoch',
      share(summary.testAccuracy ?? end?.testAccuracy ?? null),
      `best ${share(bestTestAccuracy)} at epoch ${(bestEpoch ?? 0) + 1}, by ${summary.protocol.crops === 1 ? 'one view of each image of ' : ''}${selectedOn}`,
    ]);
  }
  rows.push(
    ['Macro F1', share(report.macro.f1), 'the mean over classes, however rare'],
    ['Cross-entropy', report.loss.toFixed(4), 'of the averaged logits'],
    ['Calibration error', share(report.ece), 'ECE, 15 bins, as the network gives its probabilities'],
  );
  const body = rows.map(
    ([name, value, words]) =>
      `<tr><th>${escaped(name)}</th><td>${value}</td><td class="words">${escaped(words)}</td></tr>`,
  );
  return `<table class="figures">${body.join('')}</table>`;
}

function meaning({ record, last }: ReportParts): string {
  const sentences = last
    ? meaningOf(last.report)
    : ['The curve’s test accuracy is that of each epoch on the images that also choose the best one.'];
  if (!record.summary.complete) {
    sentences.unshift(
      'The run was stopped: its learning rate had not run down, and the figure is not that of the finished network.',
    );
  }
  if (record.summary.protocol.select === 'private') {
    sentences.unshift('The best epoch was chosen on PrivateTest, so that its figure there is optimiztic.');
  }
  return `<ul>${sentences.map((sentence) => `<li>${escaped(sentence)}</li>`).join('')}</ul>`;
}

function classTable({ perClass, macro, confusion, dataset, n }: EvaluationReport): string {
  const cell = (value: number | null): string => `<td>${value === null ? '' : (100 * value).toFixed(1)}</td>`;
  // Of CK+ a class has too few sequences for an interval worth printing.
  const intervals = dataset !== 'ck+';
  const rows = perClass.map((score, i) => {
    const between = score.n > 0 ? range(wilson(confusion[i]?.[i] ?? 0, score.n)).replace(' %', '') : '';
    return `<tr><th>${escaped(score.name)}</th><td>${whole(score.n)}</td>${cell(score.precision)}${cell(score.recall)}${intervals ? `<td class="quiet">${between}</td>` : ''}${cell(score.f1)}</tr>`;
  });
  const head = `<tr><th>class</th><th>images</th><th>precision</th><th>recall</th>${intervals ? '<th>95 % interval</th>' : ''}<th>F1</th></tr>`;
  const foot = `<tr><th>macro average</th><td>${whole(n)}</td>${cell(macro.precision)}${cell(macro.recall)}${intervals ? '<td></td>' : ''}${cell(macro.f1)}</tr>`;
  return `<table class="classes"><thead>${head}</thead><tbody>${rows.join('')}</tbody><tfoot>${foot}</tfoot></table><p class="quiet">Scores in %. Precision: of the images taken for a class, those that are of it. Recall: of the images of a class, those that were found.</p>`;
}

function calibration({ ece, bins, calibration: fitted }: EvaluationReport): string {
  const panels = [{ title: 'As it is', words: `calibration error ${share(ece)}`, bins }];
  if (fitted.bins !== null && fitted.temperature !== null) {
    const words = `calibration error ${share(fitted.ece)}, temperature ${fitted.temperature.toFixed(3)}`;
    panels.push({ title: `With a temperature fitted on ${fitted.fittedOn}`, words, bins: fitted.bins });
  }
  const words =
    fitted.temperature === null
      ? `No temperature: ${fitted.reason}.`
      : `The temperature divides the logits; it was fitted on ${whole(fitted.fittedImages)} images of ${fitted.fittedOn}, none of which is among those shown here, and leaves the accuracy as it is.`;
  return `${figure(reliabilityDiagram(panels, 'How sure, and how often right'), 'Reliability diagram: accuracy by confidence')}<p class="quiet">${escaped(words)} On the dashed line a network is as often right as it says.</p>`;
}

function mistakes({ mistakes }: ReportParts, { split, report }: Assessment): string {
  if (mistakes.length === 0) return '<p>No image was told wrong.</p>';
  const faces = mistakes.map(({ image, label, predicted, confidence, ofLabel }) => {
    const source = `data:image/png;base64,${facePng(split.faces.images.subarray(image * PIXELS, (image + 1) * PIXELS))}`;
    const percent = (value: number): string => `${(100 * value).toFixed(value < 0.01 ? 1 : 0)}&nbsp;%`;
    return `<li><img src="${source}" width="96" height="96" alt="a face labeled ${escaped(label)}"><b>${escaped(predicted)}</b> ${percent(confidence)}<br><span>labeled ${escaped(label)}, ${percent(ofLabel)}</span><br><span>image ${image}</span></li>`;
  });
  const wrong = report.n - Math.round(report.accuracy * report.n);
  return `<p>Of ${whole(wrong)} images told wrong, those whose label was given the least probability.${report.dataset === 'fer2013' ? ' Look at the labels too: some of them are the mistake.' : ''}</p><ul class="faces">${faces.join('')}</ul>`;
}

function facePng(gray: Uint8Array): string {
  const png = new PNG({ width: SIDE, height: SIDE, colorType: 0 });
  for (const [i, value] of gray.entries()) png.data.fill(value, 4 * i, 4 * i + 3).fill(255, 4 * i + 3, 4 * i + 4);
  return PNG.sync.write(png, { colorType: 0 }).toString('base64');
}

function settings({ record: { summary }, repeat }: ReportParts, evaluated: Assessment | null): string {
  const { protocol, adapter, init, parameters, seed } = summary;
  const run: (readonly [string, string])[] = [
    ['network', `${summary.model}, ${whole(parameters)} parameters`],
    ['starts from', init ?? 'random weights'],
    ['seed', String(seed)],
    ['images', `${whole(summary.trainImages)} to train on, ${whole(summary.testImages)} in the tests of its epochs`],
    [
      'trained',
      `${whole(summary.steps)} steps in ${duration(summary.trainSeconds)}, ${summary.imagesPerSecond} images/s`,
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
      : `<p class="quiet">Set by a program, with no option of the command: ${repeat.besides.join(', ')}.</p>`;
  return `<p>This command repeats it:</p><pre>${escaped(repeat.command)}</pre>${besides}<table class="settings">${rows.join('')}</table><p class="quiet">The page holds images of the data set, whose terms it falls under.</p>`;
}

function protocolRows(protocol: TrainingConfig): (readonly [string, string])[] {
  const { epochs, batchSize, microBatch, learningRate, schedule, momentum, nesterov, weightDecay, decayNorm, clip } =
    protocol;
  const { labelSmoothing, softLabels = 0, ema, augmentation, input, crops, select } = protocol;
  const course =
    schedule.kind === 'cosine'
      ? `along a cosine to 0 after ${schedule.warmup} epochs of warm-up`
      : `after epoch ${schedule.after} times ${schedule.factor} every ${schedule.every} epochs`;
  return [
    ['epochs', String(epochs)],
    ['batch', microBatch === undefined ? String(batchSize) : `${batchSize}, ${microBatch} at a time`],
    ['learning rate', `${learningRate}, ${course}`],
    [
      'optimizer',
      `SGD, momentum ${momentum}${nesterov ? ' (Nesterov)' : ''}, weight decay ${weightDecay}${decayNorm ? '' : ', none on BatchNorm'}`,
    ],
    ['gradients', clip === null ? 'not clipped' : `clipped: ${clip.kind} ${clip.limit}`],
    ['label smoothing', String(labelSmoothing)],
    ['targets', softLabels === 0 ? 'labels' : `${softLabels} of FER+ votes, the rest of labels`],
    ['averaged weights', ema === null ? 'none' : `decay ${ema}, evaluated in place of the last ones`],
    ['changes of training images', `mirror, ${augmentation === null ? 'random crop' : flat(augmentation)}`],
    [
      'input',
      `${input.size}x${input.size}, ${input.channels === 1 ? 'gray' : `${input.channels} channels`}, minus ${input.mean} over ${input.std}`,
    ],
    [
      'tests of an epoch',
      `${crops === 10 ? 'ten views' : 'one view'} of an image, the last always ten; best chosen on ${select === 'private' ? 'PrivateTest' : 'the test images'}`,
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
