// Finds the problems of a data set before training (Node only).

import { writeFile } from '@mien/nn/files';
import { expectOptions, optionNames } from '@mien/tensor/internal';
import { datasetOf, titleOf } from '../../datasets/catalog.ts';
import { type SplitCounts, splitCounts } from '../../datasets/counts.ts';
import type { Leaks } from '../../datasets/dataset.ts';
import { firstIdentical } from '../../datasets/duplicates.ts';
import { type Faces, PIXELS } from '../../datasets/faces.ts';
import { joinFerPlus } from '../../datasets/ferplus.ts';
import { type NearPair, nearPairs } from '../../datasets/near.ts';
import { readFerPlus } from '../../datasets/readers/fer2013.ts';
import { readFaces } from '../../datasets/readers/readers.ts';
import { png } from '../../figures/lettering.ts';
import type { RunEvent } from '../../runs/events.ts';
import { contactSheet, type SheetSection } from './contactSheet.ts';

/** Minimum correlation of near-identical images. */
export const NEAR = 0.98;
// Pairs per section of the contact sheet.
const SHOWN = 12;

/** Options of `audit`. */
export interface AuditOptions {
  /** A file or folder, as for `readFaces`. */
  readonly data: string;
  /** A fer2013new.csv, which says what is not a face. */
  readonly ferplus?: string;
  /** A PNG file for the pairs of images. */
  readonly figure?: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

const auditOptions = optionNames<AuditOptions>({
  data: true,
  ferplus: true,
  figure: true,
  signal: true,
  onEvent: true,
});

/** Images of one split that also occur in another. */
export interface Shared {
  readonly split: string;
  readonly other: string;
  readonly images: number;
  /** Of these, images with the same label in the other split. */
  readonly sameLabel: number;
}

/** The result of `audit`. Rows are indices of images in the order of the data, from 0. */
export interface AuditReport {
  readonly data: string;
  readonly dataset: string;
  readonly classes: readonly string[];
  readonly splits: readonly SplitCounts[];
  readonly images: number;
  /** Image files that were skipped as hidden files of an operating system. */
  readonly hidden: number;
  /** Distinct images. */
  readonly distinct: number;
  readonly identical: {
    /** Sets of two or more identical images, and those with more than one label. */
    readonly groups: number;
    readonly conflicting: number;
    readonly across: readonly Shared[];
  };
  /** Pairs of distinct images whose correlation is `from` or more. */
  readonly near: {
    readonly from: number;
    readonly pairs: number;
    readonly otherLabel: number;
    /** Pairs within one sequence, whose frames are similar by design; null where sequences are unknown. */
    readonly sameSequence: number | null;
    readonly across: readonly Shared[];
  };
  /** Rows with constant images. */
  readonly constant: readonly number[];
  /** Leaks of the reference's folds; null for data sets with fixed splits. */
  readonly folds: Leaks | null;
  /** Rows that FER+ calls "not a face", by split; null without FER+. */
  readonly notFaces: Readonly<Record<string, number>> | null;
}

/** Finds duplicates, leaks, conflicting labels and constant images, and counts images by split and class. */
export async function audit(options: AuditOptions): Promise<AuditReport> {
  expectOptions('audit', options, auditOptions);
  const { data, ferplus, figure, onEvent = () => {}, signal } = options;
  const votes = ferplus === undefined ? null : readFerPlus(ferplus);
  const read = await readFaces(data, (done, total) => {
    signal?.throwIfAborted();
    onEvent({ event: 'reading', path: data, share: done / total });
  });
  const { report, sections } = auditFaces(votes ? joinFerPlus(read, votes) : read, data);
  if (figure !== undefined) {
    writeFile(figure, png(contactSheet(read, sections, `Audit of ${titleOf(read.dataset)}`)));
  }
  return report;
}

/** The audit of faces in memory, with the pairs of a contact sheet. */
export function auditFaces(faces: Faces, data: string): { report: AuditReport; sections: readonly SheetSection[] } {
  const { images, labels } = faces;
  const { folds } = datasetOf(faces.dataset);
  const splitOf = splitsByRow(faces);
  const groups = groupsOf(firstIdentical(images));
  const identical = identicalOf(groups, splitOf, labels);
  const near = nearOf(faces, groups, splitOf, folds?.sequences(faces) ?? null);
  const report: AuditReport = {
    data,
    dataset: faces.dataset,
    classes: faces.classes,
    splits: splitCounts(faces),
    images: labels.length,
    hidden: faces.hidden ?? 0,
    distinct: groups.size,
    identical: identical.report,
    near: near.report,
    constant: [...labels.keys()].filter((row) => isConstant(images, row)),
    folds: folds ? folds.leaks(folds.divide(faces, 'reference')) : null,
    notFaces: faces.notFaces ? countBy(faces.notFaces, splitOf) : null,
  };
  return { report, sections: [...identical.sections, ...near.sections] };
}

interface Part<T> {
  readonly report: T;
  readonly sections: readonly SheetSection[];
}

function identicalOf(
  groups: ReadonlyMap<number, readonly number[]>,
  splitOf: readonly string[],
  labels: Uint8Array,
): Part<AuditReport['identical']> {
  const sets = [...groups.values()].filter((rows) => rows.length > 1);
  const conflicting = sets.filter((rows) => new Set(rows.map((row) => labels[row])).size > 1);
  const crossings = new Crossings(splitOf, labels);
  for (const rows of sets) for (const a of rows) for (const b of rows) if (a < b) crossings.add(a, b);
  /** The first row of a set with the first row that differs from it. */
  const pairOf = (rows: readonly number[], differs: (row: number, first: number) => boolean): NearPair[] => {
    const [first = 0] = rows;
    const other = rows.find((row) => differs(row, first));
    return other === undefined ? [] : [{ a: first, b: other, correlation: 1 }];
  };
  const crossing = sets.flatMap((rows) => pairOf(rows, (row, first) => splitOf[row] !== splitOf[first]));
  const disputed = conflicting.flatMap((rows) => pairOf(rows, (row, first) => labels[row] !== labels[first]));
  return {
    report: { groups: sets.length, conflicting: conflicting.length, across: crossings.list() },
    sections: [
      { title: 'Identical, in two splits', total: crossing.length, pairs: crossing.slice(0, SHOWN) },
      { title: 'Identical, with two labels', total: disputed.length, pairs: disputed.slice(0, SHOWN) },
    ],
  };
}

function nearOf(
  { images, labels }: Faces,
  groups: ReadonlyMap<number, readonly number[]>,
  splitOf: readonly string[],
  sequences: readonly string[] | null,
): Part<AuditReport['near']> {
  const counts = { pairs: 0, otherLabel: 0, sameSequence: 0 };
  const crossings = new Crossings(splitOf, labels);
  const similar: NearPair[] = [];
  const differing: NearPair[] = [];
  nearPairs(images, Int32Array.from(groups.keys()), NEAR, (pair) => {
    const same = sequences !== null && sequences[pair.a] === sequences[pair.b];
    counts.pairs++;
    counts.otherLabel += Number(labels[pair.a] !== labels[pair.b]);
    counts.sameSequence += Number(same);
    // The pair counts for every copy of both images.
    for (const a of groups.get(pair.a) ?? []) for (const b of groups.get(pair.b) ?? []) crossings.add(a, b);
    if (same) return;
    keepLoosest(similar, pair);
    if (labels[pair.a] !== labels[pair.b]) keepLoosest(differing, pair);
  });
  return {
    report: {
      from: NEAR,
      pairs: counts.pairs,
      otherLabel: counts.otherLabel,
      sameSequence: sequences ? counts.sameSequence : null,
      across: crossings.list(),
    },
    sections: [
      {
        title: `Near-identical (the lowest correlations from ${NEAR})`,
        total: counts.pairs - counts.sameSequence,
        pairs: similar,
      },
      { title: 'Near-identical, with two labels', total: counts.otherLabel, pairs: differing },
    ],
  };
}

/** Images of one split with a counterpart in another. */
class Crossings {
  readonly #splitOf: readonly string[];
  readonly #labels: Uint8Array;
  /** By the names of both splits: the images, and whether a counterpart has the same label. */
  readonly #rows = new Map<string, Map<number, boolean>>();

  constructor(splitOf: readonly string[], labels: Uint8Array) {
    this.#splitOf = splitOf;
    this.#labels = labels;
  }

  add(a: number, b: number): void {
    const [one, other] = [this.#splitOf[a] as string, this.#splitOf[b] as string];
    if (one === other) return;
    const same = this.#labels[a] === this.#labels[b];
    for (const [row, key] of [
      [a, `${one}\n${other}`],
      [b, `${other}\n${one}`],
    ] as const) {
      const rows = this.#rows.get(key) ?? new Map<number, boolean>();
      rows.set(row, same || (rows.get(row) ?? false));
      this.#rows.set(key, rows);
    }
  }

  list(): Shared[] {
    return [...this.#rows].map(([key, rows]) => {
      const [split = '', other = ''] = key.split('\n');
      return { split, other, images: rows.size, sameLabel: [...rows.values()].filter(Boolean).length };
    });
  }
}

function splitsByRow({ splits, labels }: Faces): string[] {
  const names = new Array<string>(labels.length).fill('');
  for (const [name, rows] of Object.entries(splits)) for (const row of rows) names[row] = name;
  return names;
}

function groupsOf(first: Int32Array): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const [row, leader] of first.entries()) {
    const rows = groups.get(leader);
    if (rows) rows.push(row);
    else groups.set(leader, [row]);
  }
  return groups;
}

/** Keeps the pairs with the lowest correlations, which show whether the threshold is right. */
function keepLoosest(pairs: NearPair[], pair: NearPair): void {
  if (pairs.length === SHOWN && pair.correlation >= (pairs[SHOWN - 1] as NearPair).correlation) return;
  pairs.push(pair);
  pairs.sort((a, b) => a.correlation - b.correlation);
  pairs.length = Math.min(pairs.length, SHOWN);
}

function isConstant(images: Uint8Array, row: number): boolean {
  const image = images.subarray(row * PIXELS, (row + 1) * PIXELS);
  return image.every((value) => value === image[0]);
}

function countBy(rows: Int32Array, splitOf: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) counts[splitOf[row] as string] = (counts[splitOf[row] as string] ?? 0) + 1;
  return counts;
}
