// Grouped and stratified folds: every group is tested in exactly one fold.
import { Generator, ValueError } from '@mien/tensor';

interface Group {
  readonly rows: readonly number[];
  /** Images of each class, and the total last. */
  readonly counts: readonly number[];
}

/**
 * Divides rows into `count` folds that keep groups together, balanced in size and classes (like scikit-learn's
 * StratifiedGroupKFold, then improved by moving and exchanging groups). `groups` and `labels` have one entry per row. Returns
 * the rows of each fold in ascending order. `seed` breaks ties. Throws ValueError for fewer groups than folds.
 */
export function groupFolds(
  groups: readonly string[],
  labels: ArrayLike<number>,
  count: number,
  seed: number,
): Int32Array[] {
  const members = membersOf(groups, labels);
  if (!Number.isInteger(count) || count < 2 || members.length < count) {
    throw new ValueError(
      `groupFolds: expected 2 folds or more and a group for each, got ${count} folds of ${members.length} groups`,
    );
  }
  const columns = members[0]?.counts.length ?? 0;
  const balance = new Balance(count, total(members, columns));
  // The largest first, while the folds are empty; groups of equal size in random order.
  const order = Array.from(new Generator(seed).permutation(members.length), (i) => members[i] as Group);
  order.sort((a, b) => b.rows.length - a.rows.length);
  const folds = new Map<Group, number>();
  for (const group of order) {
    const fold = balance.bestFor(group);
    balance.add(group, fold, 1);
    folds.set(group, fold);
  }
  while (improve(order, folds, balance, count)) {
    // Each round lowers a sum of squares, so the loop ends.
  }
  return Array.from({ length: count }, (_, fold) =>
    Int32Array.from(order.flatMap((group) => (folds.get(group) === fold ? group.rows : []))).sort(),
  );
}

function membersOf(groups: readonly string[], labels: ArrayLike<number>): Group[] {
  const rows = new Map<string, number[]>();
  let classes = 0;
  for (const [row, name] of groups.entries()) {
    const own = rows.get(name);
    if (own) own.push(row);
    else rows.set(name, [row]);
    classes = Math.max(classes, (labels[row] as number) + 1);
  }
  return [...rows.values()].map((own) => {
    const counts = new Array<number>(classes + 1).fill(0);
    for (const row of own) counts[labels[row] as number] = (counts[labels[row] as number] as number) + 1;
    counts[classes] = own.length;
    return { rows: own, counts };
  });
}

function total(members: readonly Group[], columns: number): number[] {
  return Array.from({ length: columns }, (_, i) => members.reduce((sum, { counts }) => sum + (counts[i] as number), 0));
}

/** The imbalance of folds: the squared difference of each column from its share, divided by the share. */
class Balance {
  readonly #share: readonly number[];
  readonly #held: readonly number[][];

  constructor(folds: number, totals: readonly number[]) {
    this.#share = totals.map((n) => n / folds);
    this.#held = Array.from({ length: folds }, () => totals.map(() => 0));
  }

  add({ counts }: Group, fold: number, sign: 1 | -1): void {
    const held = this.#held[fold] as number[];
    for (const [i, n] of counts.entries()) held[i] = (held[i] as number) + sign * n;
  }

  /** The change of the imbalance when `fold` gains one group and loses another. */
  change(fold: number, gained: Group | null, lost: Group | null): number {
    const held = this.#held[fold] as number[];
    let change = 0;
    for (const [i, share] of this.#share.entries()) {
      if (share === 0) continue;
      const over = (held[i] as number) - share;
      const moved = (gained?.counts[i] ?? 0) - (lost?.counts[i] ?? 0);
      change += (moved * (2 * over + moved)) / share;
    }
    return change;
  }

  /** The fold whose imbalance `group` increases least. */
  bestFor(group: Group): number {
    const changes = this.#held.map((_, fold) => this.change(fold, group, null));
    return changes.indexOf(Math.min(...changes));
  }
}

/** Moves or exchanges groups where that lowers the imbalance. Returns whether any did. */
function improve(order: readonly Group[], folds: Map<Group, number>, balance: Balance, count: number): boolean {
  // Above rounding errors, which could cause endless changes.
  const least = -1e-9;
  const put = (group: Group, from: number, to: number): void => {
    balance.add(group, from, -1);
    balance.add(group, to, 1);
    folds.set(group, to);
  };
  let better = false;
  for (const [i, group] of order.entries()) {
    for (let to = 0; to < count; to++) {
      const from = folds.get(group) as number;
      if (to === from || balance.change(from, null, group) + balance.change(to, group, null) >= least) continue;
      put(group, from, to);
      better = true;
    }
    for (const other of order.slice(i + 1)) {
      const [from, to] = [folds.get(group) as number, folds.get(other) as number];
      if (from === to || balance.change(from, other, group) + balance.change(to, group, other) >= least) continue;
      put(group, from, to);
      put(other, to, from);
      better = true;
    }
  }
  return better;
}
