// What is wrong with a data set before it is trained on (Node only).
import { writeFile } from '@mien/nn/files';
import { ckPlusSequences, folds, type Leaks, leaksOf } from '../../datasets/ckplus.ts';
import { firstIdentical } from '../../datasets/duplicates.ts';
import { type Faces, PIXELS } from '../../datasets/faces.ts';
import { joinFerPlus } from '../../datasets/ferplus.ts';
import { readFaces, readFerPlus } from '../../datasets/files.ts';
import { type NearPair, nearPairs } from '../../datasets/near.ts';
import { png } from '../../figures/lettering.ts';
import { titleOf } from '../../runs/data.ts';
import type { RunEvent } from '../../runs/events.ts';
import { type SplitCounts, splitCounts } from '../prepare/prepare.ts';
import { contactSheet, type SheetSection } from './contactSheet.ts';

/** The correlation from which two images count as near-identical. */
export const NEAR = 0.98;
// Pairs that a section of the contact sheet shows.
const SHOWN = 12;

/** What `audit` is told. */
export interface AuditOptions {
  /** A CSV, an HDF5 file or a folder, as `readFaces` takes them. */
  readonly data: string;
  /** A fer2013new.csv, for what is not a face. */
  readonly ferplus?: string;
  /** A PNG file for the pairs that were found. */
  readonly figure?: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

/** Images of one split that are also in another. */
export interface Shared {
  readonly split: string;
  readonly other: string;
  readonly images: number;
  /** Those with a counterpart that has the same label. */
  readonly sameLabel: number;
}

/** What `audit` found. Rows count all images from 0, in the order of the data. */
export interface AuditReport {
  readonly data: string;
  readonly dataset: string;
  readonly classes: readonly string[];
  readonly splits: readonly SplitCounts[];
  readonly images: number;
  /** Image files that were skipped because an operating system hides them. */
  readonly hidden: number;
  /** Images of different pixels. */
  readonly distinct: number;
  readonly identical: {
    /** Sets of two or more identical images, and those among them that carry more than one label. */
    readonly groups: number;
    readonly conflicting: number;
    readonly across: readonly Shared[];
  };
  /** Pairs of distinct images whose correlation is `from` or more. */
  readonly near: {
    readonly from: number;
    readonly pairs: number;
    readonly otherLabel: number;
    /** Pairs of one sequence, whose frames are meant to be alike; null where sequences are unknown. */
    readonly sameSequence: number | null;
    readonly across: readonly Shared[];
  };
  /** Rows whose pixels are all equal. */
  readonly constant: readonly number[];
  /** What the reference's folds of CK+ share; null elsewhere. */
  readonly folds: Leaks | null;
  /** Rows that FER+ calls "not a face", by split; null without FER+. */
  readonly notFaces: Readonly<Record<string, number>> | null;
}

/** Looks for leaks, conflicts and empty images in a data set, and for how it is balanced. */
export async function audit(options: AuditOptions): Promise<AuditReport> {
  const { data, ferplus, figure, onEvent = () => {}, signal } = options;
  const votes = ferplus === undefined ? null : readFerPlus(ferplus);
  const read = await readFaces(data, (done, total) => {
    signal?.throwIfAborted();
    onEvent({ event: 'reading', path: data, share: done / total });
  });
  const { report, sections } = auditFaces(votes ? joinFerPlus(read, votes) : read, data);
  if (figure !== undefined) {
    writeFile(figure, png(contactSheet(read, sections, `What the audit of ${titleOf(read.dataset)} found`)));
  }
  return report;
}

/** The audit of faces in memory, with the pairs that a contact sheet shows. */
export function auditFaces(faces: Faces, data: string): { report: AuditReport; sections: readonly SheetSection[] } {
  const { images, labels } = faces;
  const splitOf = splitNames(faces);
  const groups = groupsOf(firstIdentical(images));
  const twins = [...groups.values()].filter((rows) => rows.length > 1);
  const conflicting = twins.filter((rows) => new Set(rows.map((row) => labels[row])).size > 1);
  const copies = new Crossings(splitOf, labels);
  for (const rows of twins) for (const a of rows) for (const b of rows) if (a < b) copies.add(a, b);
  const sequences = faces.dataset === 'ck+' && faces.sources ? ckPlusSequences(faces) : null;
  const found = { pairs: 0, otherLabel: 0, sameSequence: 0 };
  const crossings = new Crossings(splitOf, labels);
  const [alike, differing]: NearPair[][] = [[], []];
  nearPairs(images, Int32Array.from(groups.keys()), NEAR, (pair) => {
    const same = sequences !== null && sequences[pair.a] === sequences[pair.b];
    found.pairs++;
    found.otherLabel += Number(labels[pair.a] !== labels[pair.b]);
    found.sameSequence += Number(same);
    // Every copy of either image is as near.
    for (const a of groups.get(pair.a) ?? []) for (const b of groups.get(pair.b) ?? []) crossings.add(a, b);
    if (same) return;
    if (alike) keepLoosest(alike, pair);
    if (differing && labels[pair.a] !== labels[pair.b]) keepLoosest(differing, pair);
  });
  const constant = [...labels.keys()].filter((row) => isConstant(images, row));
  const pairOf = ([a, b]: readonly number[]): NearPair => ({ a: a as number, b: b as number, correlation: 1 });
  const crossing = twins.flatMap((rows) => {
    const other = rows.find((row) => splitOf[row] !== splitOf[rows[0] as number]);
    return other === undefined ? [] : [pairOf([rows[0] as number, other])];
  });
  const disputed = conflicting.map((rows) => {
    const other = rows.find((row) => labels[row] !== labels[rows[0] as number]);
    return pairOf([rows[0] as number, other as number]);
  });
  const sections: SheetSection[] = [
    { title: 'Identical, in two splits', total: crossing.length, pairs: crossing.slice(0, SHOWN) },
    { title: 'Identical, with two labels', total: disputed.length, pairs: disputed.slice(0, SHOWN) },
    {
      title: `Near-identical (the least alike of correlation ${NEAR} and more)`,
      total: found.pairs - found.sameSequence,
      pairs: alike ?? [],
    },
    { title: 'Near-identical, with two labels', total: found.otherLabel, pairs: differing ?? [] },
  ];
  const report: AuditReport = {
    data,
    dataset: faces.dataset,
    classes: faces.classes,
    splits: splitCounts(faces),
    images: labels.length,
    hidden: faces.hidden ?? 0,
    distinct: groups.size,
    identical: { groups: twins.length, conflicting: conflicting.length, across: copies.list() },
    near: {
      from: NEAR,
      pairs: found.pairs,
      otherLabel: found.otherLabel,
      sameSequence: sequences ? found.sameSequence : null,
      across: crossings.list(),
    },
    constant,
    folds: faces.dataset === 'ck+' ? leaksOf(folds(faces, 'reference')) : null,
    notFaces: faces.notFaces ? countBy(faces.notFaces, splitOf) : null,
  };
  return { report, sections };
}

/** Which images of one split have a counterpart in another. */
class Crossings {
  readonly #splitOf: readonly string[];
  readonly #labels: Uint8Array;
  /** By both splits' names, the images and whether a counterpart has the same label. */
  readonly #found = new Map<string, Map<number, boolean>>();

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
      const rows = this.#found.get(key) ?? new Map<number, boolean>();
      rows.set(row, same || (rows.get(row) ?? false));
      this.#found.set(key, rows);
    }
  }

  list(): Shared[] {
    return [...this.#found].map(([key, rows]) => {
      const [split = '', other = ''] = key.split('\n');
      return { split, other, images: rows.size, sameLabel: [...rows.values()].filter(Boolean).length };
    });
  }
}

function splitNames({ splits, labels }: Faces): string[] {
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

/** Keeps the pairs that are least alike: where the threshold is right or wrong, these show it. */
function keepLoosest(pairs: NearPair[], pair: NearPair): void {
  if (pairs.length === SHOWN && pair.correlation >= (pairs[SHOWN - 1] as NearPair).correlation) return;
  pairs.push(pair);
  pairs.sort((a, b) => a.correlation - b.correlation);
  pairs.length = Math.min(pairs.length, SHOWN);
}

function isConstant(images: Uint8Array, row: number): boolean {
  const own = images.subarray(row * PIXELS, (row + 1) * PIXELS);
  return own.every((value) => value === own[0]);
}

function countBy(rows: Int32Array, splitOf: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) counts[splitOf[row] as string] = (counts[splitOf[row] as string] ?? 0) + 1;
  return counts;
}
