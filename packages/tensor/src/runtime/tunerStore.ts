// Results of the tuner, stored for each adapter on disk or in IndexedDB. An entry is valid while the text of the kernels that it
// was measured with and the list of the operation's algorithms are unchanged.
import { deleteText, environmentTune, readText, storedNames, writeText } from '#store';
import type { AdapterFacts } from '../device/adapter.ts';
import { slot } from '../session.ts';
import { algorithmsOf, currentWinners, operationOf, setWinners } from './algorithms.ts';
import { kernels } from './kernel.ts';

/** The fastest algorithm of one operation for one class of shapes. */
export interface Tuned {
  readonly operation: string;
  readonly shape: string;
  readonly algorithm: string;
  readonly seconds: number;
  /** The algorithm without the tuner; the operations inside it are untuned too. */
  readonly fixed: string;
  readonly fixedSeconds: number;
  /** Seconds of every algorithm; null where it does not fit, was skipped or was many times slower on the sample. */
  readonly algorithms: Readonly<Record<string, number | null>>;
}

/** A result with the kernels that it depends on. */
export interface TunedEntry extends Tuned {
  /** Labels of the kernels of all its algorithms. */
  readonly kernels: readonly string[];
  /** Hash of their texts. */
  readonly hash: string;
}

/** The stored results of one adapter. */
export interface TunedAdapter {
  readonly adapter: string;
  readonly entries: readonly Tuned[];
}

/** An entry in the stored JSON, whose names are those of version 1. */
interface StoredEntry extends Omit<TunedEntry, 'algorithm' | 'algorithms'> {
  readonly way: string;
  readonly ways: Readonly<Record<string, number | null>>;
}

/** The stored JSON of one adapter. */
interface Store {
  readonly version: number;
  readonly adapter: string;
  readonly entries: readonly StoredEntry[];
}

/** Of the format, and of how its times are measured. */
const version = 1;

/** The entries of the adapter that choices follow or that is being tuned. */
const current = slot<{
  readonly name: string;
  readonly adapter: string;
  readonly entries: Map<string, TunedEntry>;
} | null>(() => null);

/** The key of an entry among those of an adapter. */
export function entryKey(operation: string, shape: string): string {
  return `${operation} ${shape}`;
}

/** Turns the tuner's choices on or off by `wanted`; by the environment where that is undefined and `first` is true. */
export async function applyTuneOption(facts: AdapterFacts, wanted: boolean | undefined, first: boolean): Promise<void> {
  const asked = wanted ?? (first ? environmentTune() : undefined);
  if (asked === true) await loadWinners(facts);
  if (asked === false) setWinners(null);
}

/** Reads the stored results of the adapter and makes choices follow them. */
export async function loadWinners(facts: AdapterFacts): Promise<void> {
  const { name, adapter } = adapterOf(facts);
  if (current.value?.name !== name || !currentWinners()) {
    const entries = new Map<string, TunedEntry>();
    for (const entry of (await load(name)).filter(isValid)) entries.set(entryKey(entry.operation, entry.shape), entry);
    current.value = { name, adapter, entries };
  }
  applyEntries();
}

/** The result for an operation and shape on the adapter that choices follow, or null. */
export function knownEntry(operation: string, shape: string): TunedEntry | null {
  return current.value?.entries.get(entryKey(operation, shape)) ?? null;
}

/** Adds a result, makes choices follow it and stores it; warns once where it cannot be stored. */
export async function addEntry(entry: TunedEntry): Promise<void> {
  if (!current.value) return;
  current.value.entries.set(entryKey(entry.operation, entry.shape), entry);
  applyEntries();
  const { name, adapter, entries } = current.value;
  // Another process may have tuned other shapes in the meantime.
  const others = (await load(name)).filter((other) => !entries.has(entryKey(other.operation, other.shape)));
  const all = [...others.filter((other) => !isStale(other)), ...entries.values()];
  const store: Store = { version, adapter, entries: all.map(toStored) };
  try {
    await writeText(name, `${JSON.stringify(store, null, 1)}\n`);
  } catch (reason) {
    warnOnce(`tune: results cannot be stored and are used in this run only (${String(reason)})`);
  }
}

/** The stored results of the tuner, for every adapter that it measured. Entries whose kernels have changed are left out. */
export async function listTuned(): Promise<TunedAdapter[]> {
  const adapters: TunedAdapter[] = [];
  for (const name of await storedNames()) {
    const stored = parse(name, await readText(name));
    if (stored) {
      const entries = stored.entries.map(fromStored).filter((entry) => !isStale(entry));
      adapters.push({ adapter: stored.adapter, entries: entries.map(plain) });
    }
  }
  return adapters;
}

/** Deletes the stored results of every adapter and returns their number; operations then use their default algorithms. */
export async function deleteTuned(): Promise<number> {
  let count = 0;
  for (const name of await storedNames()) {
    count += parse(name, await readText(name))?.entries.length ?? 0;
    await deleteText(name);
  }
  current.value = null;
  setWinners(null);
  return count;
}

/** An entry without the kernels that it depends on. */
export function plain({ kernels: _, hash: __, ...tuned }: TunedEntry): Tuned {
  return tuned;
}

function toStored({ algorithm, algorithms, ...rest }: TunedEntry): StoredEntry {
  return { ...rest, way: algorithm, ways: algorithms };
}

function fromStored({ way, ways, ...rest }: StoredEntry): TunedEntry {
  return { ...rest, algorithm: way, algorithms: ways };
}

/** The hash of kernels' texts, or null where one is not declared in this program. */
export function hashOf(labels: readonly string[]): string | null {
  const codes = new Map<string, string>();
  const wanted = new Set(labels);
  for (const kernel of kernels()) if (wanted.has(kernel.label)) codes.set(kernel.label, kernel.code);
  const texts = labels.map((label) => codes.get(label));
  return texts.includes(undefined) ? null : fnv(texts.join('\0'));
}

function applyEntries(): void {
  const winners = new Map<string, Map<string, string>>();
  for (const { operation, shape, algorithm } of current.value?.entries.values() ?? []) {
    const byShape = winners.get(operation) ?? new Map<string, string>();
    winners.set(operation, byShape.set(shape, algorithm));
  }
  setWinners(winners);
}

async function load(name: string): Promise<readonly TunedEntry[]> {
  try {
    return (parse(name, await readText(name))?.entries ?? []).map(fromStored);
  } catch (reason) {
    warnOnce(`tune: stored results cannot be read (${String(reason)}); rerun mien tune to measure again`);
    return [];
  }
}

/** The stored results in `text`, or null with one warning where another program or version wrote it. */
function parse(name: string, text: string | null): Store | null {
  if (text === null) return null;
  let store: unknown = null;
  try {
    store = JSON.parse(text);
  } catch {
    // The warning below covers it.
  }
  const { version: storedVersion, adapter, entries } = Object(store) as Record<keyof Store, unknown>;
  if (storedVersion === version && typeof adapter === 'string' && Array.isArray(entries) && entries.every(isEntry)) {
    return store as Store;
  }
  warnOnce(
    `tune: the stored results ${name} are damaged or of another version and are ignored; delete them with: mien tune --delete`,
  );
  return null;
}

function isEntry(entry: unknown): boolean {
  const {
    operation,
    shape,
    way,
    seconds,
    fixed,
    fixedSeconds,
    ways,
    kernels: labels,
    hash,
  } = Object(entry) as Record<keyof StoredEntry, unknown>;
  return (
    [operation, shape, way, fixed, hash].every((value) => typeof value === 'string') &&
    [seconds, fixedSeconds].every((time) => typeof time === 'number') &&
    Object.values(Object(ways)).every((time) => time === null || typeof time === 'number') &&
    Array.isArray(labels) &&
    labels.every((label) => typeof label === 'string')
  );
}

/** Whether this program has the kernels and algorithms of an entry. */
function isValid(entry: TunedEntry): boolean {
  return operationOf(entry.operation) !== null && hashOf(entry.kernels) !== null && !isStale(entry);
}

/** Whether this program has other kernels or algorithms under the names in an entry. */
function isStale({ operation, algorithms, kernels: labels, hash }: TunedEntry): boolean {
  if (!operationOf(operation)) return false;
  const now = hashOf(labels);
  return (now !== null && now !== hash) || Object.keys(algorithms).join() !== algorithmsOf(operation).join();
}

/** The driver's description of an adapter, and a file name made of it. */
function adapterOf({ name, vendor, architecture, description }: AdapterFacts): { name: string; adapter: string } {
  const text = [...new Set([name, vendor, architecture, description].filter((part) => part !== ''))].join(', ');
  const short = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40);
  return { name: `${short}-${fnv(text)}`, adapter: text };
}

/** Fowler, Noll and Vo's hash FNV-1a of the UTF-16 units, 32 bits, in hexadecimal. */
function fnv(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

const warned = new Set<string>();

function warnOnce(line: string): void {
  if (warned.has(line)) return;
  warned.add(line);
  console.warn(line);
}
