// What `mien import` prints, and `mien export` of PyTorch's files.

import { aligned } from '../../cli/table.ts';
import type { PytorchExportReport } from '../export/pytorch.ts';
import type { ImportReport } from './import.ts';
import type { PytorchListing, Values } from './listing.ts';

/** Where the weights came from, what they are, and what to do next. */
export function reportImport(report: ImportReport): string {
  const { file, format, model, dataset, classes, from, tensors, parameters, epoch, values, out } = report;
  const place = from === '' ? '' : `, its ${from}`;
  return [
    `${file} (${format}${place}): ${model}, ${tensors} tensors, ${parameters.toLocaleString('en')} parameters${epoch === null ? '' : `, epoch ${epoch}`}`,
    `classes of ${dataset}: ${classes.join(', ')}`,
    ...valueLines(values),
    `written to ${out}; measure it: mien evaluate --weights ${out} --data FILE`,
    '',
  ].join('\n');
}

/** What was written, and the line of Python that reads it. */
export function reportExport({ file, model, tensors, averaged, values, out }: PytorchExportReport): string {
  return [
    `${file}: ${model}, ${tensors} tensors${averaged ? ', the averaged weights' : ''}`,
    ...valueLines(values),
    `written to ${out}; in Python: net.load_state_dict(torch.load('${out}', weights_only=True)['net'])`,
    '',
  ].join('\n');
}

/** A line a tensor. */
export function reportListing({ file, format, values, tensors }: PytorchListing): string {
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

function valueLines(values: Values): string[] {
  const texts = Object.entries(values).map(([name, value]) => `${plain(name)} ${plain(String(value).slice(0, 60))}`);
  return texts.length > 0 ? [`beside the weights: ${texts.join(', ')}`] : [];
}

/** A text of a stranger's file, with nothing in it that a terminal would obey. */
function plain(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function short(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}
