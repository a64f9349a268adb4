// The output of `mien import`.

import { aligned } from '../../cli/table.ts';
import type { ImportReport } from './import.ts';
import type { PytorchListing, Values } from './listing.ts';

/** The source of the weights, the network that they fit, and the next command. */
export function importText(report: ImportReport): string {
  const { file, format, model, dataset, classes, from, tensors, parameters, epoch, values, out } = report;
  const place = from === '' ? '' : `, its ${from}`;
  return [
    `${file} (${format}${place}): ${model}, ${tensors} tensors, ${parameters.toLocaleString('en')} parameters${epoch === null ? '' : `, epoch ${epoch}`}`,
    `classes of ${dataset}: ${classes.join(', ')}`,
    ...valueLines(values),
    `written to ${out}; evaluate it: mien evaluate --weights ${out} --data FILE`,
    '',
  ].join('\n');
}

/** The listing of a PyTorch file, with a line per tensor. */
export function listingText({ file, format, values, tensors }: PytorchListing): string {
  const rows = tensors.map(({ name, shape, dtype, min, mean, max, notFinite }) => [
    ...[min, mean, max].map((value) => (value === null ? '' : short(value))),
    notFinite > 0 ? `${notFinite} not finite` : '',
    dtype,
    `${plain(name)} [${shape.join(', ')}]`,
  ]);
  return [
    `${file}: ${format}, ${tensors.length} tensors`,
    ...valueLines(values),
    ...aligned([['min', 'mean', 'max', '', 'dtype', 'name and shape'], ...rows]),
    '',
  ].join('\n');
}

/** The numbers and texts beside the weights, in a line. */
export function valueLines(values: Values): string[] {
  const texts = Object.entries(values).map(([name, value]) => `${plain(name)} ${plain(String(value).slice(0, 60))}`);
  return texts.length > 0 ? [`beside the weights: ${texts.join(', ')}`] : [];
}

/** Text of an untrusted file, with control characters escaped. */
function plain(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function short(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}
