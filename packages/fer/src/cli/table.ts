// Text in columns and lines.
import type { SplitCounts } from '../datasets/counts.ts';

/** Wraps text to lines of at most `width` characters. */
export function wrapped(text: string, width = 100): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** Aligns cells in columns, all but the last to the right. */
export function aligned(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0]?.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0))) ?? [];
  return lines.map((line) =>
    line.map((cell, i) => (i === line.length - 1 ? cell : cell.padStart(widths[i] ?? 0))).join('  '),
  );
}

/** `1 image`, `1,024 images` */
export function imagesText(n: number): string {
  return n === 1 ? '1 image' : `${n.toLocaleString('en')} images`;
}

/** A row per class and a column per split, with sums. */
export function countTable(classes: readonly string[], splits: readonly SplitCounts[]): string[] {
  const rows = classes.map((name, label) => [...splits.map(({ perClass }) => String(perClass[label] ?? 0)), name]);
  const sums = [...splits.map((split) => String(split.images)), 'all classes'];
  return aligned([[...splits.map(({ name }) => name), 'class'], ...rows, sums]);
}

/** A note on image files that were skipped as hidden files of an operating system. */
export function hiddenText(hidden: number): string {
  return `${imagesText(hidden)} skipped: hidden files of an operating system (._name, __MACOSX)`;
}
