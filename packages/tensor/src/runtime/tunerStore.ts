// What the tuner found, kept for each adapter on disk or in IndexedDB. An entry holds while the kernels that it was
// measured with have the texts that they had, and its operation the ways that it had.
import { environmentTune, keptNames, readKept, removeKept, writeKept } from '#kept';
import type { AdapterFacts } from '../device/adapter.ts';
import { slot } from '../session.ts';
import { alternativesOf, follow, followed, operationOf } from './alternatives.ts';
import { kernels } from './kernel.ts';

/** The fastest way of one operation for one class of shapes. */
export interface Tuned {
  readonly operation: string;
  readonly shape: string;
  readonly way: string;
  readonly seconds: number;
  /** The way that is chosen without the tuner, with all that it uses chosen so too. */
  readonly fixed: string;
  readonly fixedSeconds: number;
  /** Seconds of every way; null where it does not fit, was passed over or was many times slower on a part of the work. */
  readonly ways: Readonly<Record<string, number | null>>;
}

/** A result with what it depends on. */
export interface TunedEntry extends Tuned {
  /** Labels of the kernels of all its ways. */
  readonly kernels: readonly string[];
  /** Of their texts. */
  readonly hash: string;
}

/** What is kept for one adapter. */
export interface TunedAdapter {
  readonly adapter: string;
  readonly entries: readonly Tuned[];
}

interface Text {
  readonly version: number;
  readonly adapter: string;
  readonly entries: readonly TunedEntry[];
}

/** Of the text, and of what its times mean. */
const version = 1;

/** The entries of the adapter that choices follow or that is being tuned. */
const current = slot<{
  readonly name: string;
  readonly adapter: string;
  readonly entries: Map<string, TunedEntry>;
} | null>(() => null);

/** The name of an entry among those of an adapter. */
export function entryKey(operation: string, shape: string): string {
  return `${operation} ${shape}`;
}

/** Follows `wanted`; without it the environment where nothing was said before. */
export async function followIfAsked(facts: AdapterFacts, wanted: boolean | undefined, first: boolean): Promise<void> {
  const asked = wanted ?? (first ? environmentTune() : undefined);
  if (asked === true) await followKept(facts);
  if (asked === false) follow(null);
}

/** Reads what is kept for the adapter, and has choices follow it. */
export async function followKept(facts: AdapterFacts): Promise<void> {
  const { name, adapter } = adapterOf(facts);
  if (current.value?.name !== name || !followed()) {
    const entries = new Map<string, TunedEntry>();
    for (const entry of (await load(name)).filter(holds)) entries.set(entryKey(entry.operation, entry.shape), entry);
    current.value = { name, adapter, entries };
  }
  followEntries();
}

/** What is known for the adapter that choices follow, by operation and shape. */
export function knownEntry(operation: string, shape: string): TunedEntry | null {
  return current.value?.entries.get(entryKey(operation, shape)) ?? null;
}

/** Adds a result, has choices follow it, and keeps it; where it cannot be kept, says so once. */
export async function addEntry(entry: TunedEntry): Promise<void> {
  if (!current.value) return;
  current.value.entries.set(entryKey(entry.operation, entry.shape), entry);
  followEntries();
  const { name, adapter, entries } = current.value;
  // Another process may have tuned other shapes meanwhile.
  const others = (await load(name)).filter((other) => !entries.has(entryKey(other.operation, other.shape)));
  const text: Text = { version, adapter, entries: [...others.filter((other) => !isStale(other)), ...entries.values()] };
  try {
    await writeKept(name, `${JSON.stringify(text, null, 1)}\n`);
  } catch (reason) {
    warnOnce(`tune: results are for this run only, they cannot be kept (${String(reason)})`);
  }
}

/** What the tuner has kept, for every adapter that it measured. Entries whose kernels have changed are left out. */
export async function listTuned(): Promise<TunedAdapter[]> {
  const found: TunedAdapter[] = [];
  for (const name of await keptNames()) {
    const text = parse(name, await readKept(name));
    if (text)
      found.push({ adapter: text.adapter, entries: text.entries.filter((entry) => !isStale(entry)).map(plain) });
  }
  return found;
}

/** Deletes what the tuner has kept, for every adapter; choices of this run are fixed from now on. Gives the number of results. */
export async function deleteTuned(): Promise<number> {
  let count = 0;
  for (const name of await keptNames()) {
    count += parse(name, await readKept(name))?.entries.length ?? 0;
    await removeKept(name);
  }
  current.value = null;
  follow(null);
  return count;
}

/** An entry without what it depends on. */
export function plain({ kernels: _, hash: __, ...tuned }: TunedEntry): Tuned {
  return tuned;
}

/** The hash of kernels' texts, or null where one is not declared in this program. */
export function hashOf(labels: readonly string[]): string | null {
  const codes = new Map<string, string>();
  const wanted = new Set(labels);
  for (const kernel of kernels()) if (wanted.has(kernel.label)) codes.set(kernel.label, kernel.code);
  const texts = labels.map((label) => codes.get(label));
  return texts.includes(undefined) ? null : fnv(texts.join('\0'));
}

function followEntries(): void {
  const winners = new Map<string, Map<string, string>>();
  for (const { operation, shape, way } of current.value?.entries.values() ?? []) {
    const ways = winners.get(operation) ?? new Map<string, string>();
    winners.set(operation, ways.set(shape, way));
  }
  follow(winners);
}

async function load(name: string): Promise<readonly TunedEntry[]> {
  try {
    return parse(name, await readKept(name))?.entries ?? [];
  } catch (reason) {
    warnOnce(`tune: what was kept cannot be read (${String(reason)}); choices are fixed until it is tuned anew`);
    return [];
  }
}

/** The text of a name, or null, with one warning, where another program or another version wrote it. */
function parse(name: string, text: string | null): Text | null {
  if (text === null) return null;
  let found: unknown = null;
  try {
    found = JSON.parse(text);
  } catch {
    // said below
  }
  const { version: foundVersion, adapter, entries } = Object(found) as Record<keyof Text, unknown>;
  if (foundVersion === version && typeof adapter === 'string' && Array.isArray(entries) && entries.every(isEntry)) {
    return found as Text;
  }
  warnOnce(
    `tune: what was kept as ${name} is damaged or of another version, and is ignored; mien tune --delete removes it`,
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
  } = Object(entry) as Record<keyof TunedEntry, unknown>;
  return (
    [operation, shape, way, fixed, hash].every((word) => typeof word === 'string') &&
    [seconds, fixedSeconds].every((time) => typeof time === 'number') &&
    Object.values(Object(ways)).every((time) => time === null || typeof time === 'number') &&
    Array.isArray(labels) &&
    labels.every((label) => typeof label === 'string')
  );
}

/** Whether an entry is of kernels and ways that this program has. */
function holds(entry: TunedEntry): boolean {
  return operationOf(entry.operation) !== null && hashOf(entry.kernels) !== null && !isStale(entry);
}

/** Whether an entry is of other kernels or ways than those that this program has under the same names. */
function isStale({ operation, ways, kernels: labels, hash }: TunedEntry): boolean {
  if (!operationOf(operation)) return false;
  const now = hashOf(labels);
  return (now !== null && now !== hash) || Object.keys(ways).join() !== alternativesOf(operation).join();
}

/** An adapter in the driver's words, and a name made of them that a file can have. */
function adapterOf({ name, vendor, architecture, description }: AdapterFacts): { name: string; adapter: string } {
  const words = [...new Set([name, vendor, architecture, description].filter((word) => word !== ''))].join(', ');
  const short = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40);
  return { name: `${short}-${fnv(words)}`, adapter: words };
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
