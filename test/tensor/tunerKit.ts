// An empty tuner store for a test: a cache folder in Node, the page's IndexedDB in a browser.
import { deleteTuned, init } from '@mien/tensor';
import { readText, storedNames, writeText } from '@mien/tensor/internal';

/** The part of Node's `process` that is used; undefined in a page. */
interface NodeProcess {
  readonly env: Record<string, string | undefined>;
  readonly pid: number;
  readonly getBuiltinModule?: (name: 'node:fs') => {
    rmSync: (path: string, options: { recursive: true; force: true }) => void;
  };
}

/** Runs `use` with an empty store; tuning is off before and after. */
export async function withOwnStore(use: () => Promise<void>): Promise<void> {
  const { process } = globalThis as { readonly process?: NodeProcess };
  const before = process?.env.XDG_CACHE_HOME;
  const folder = `${process?.env.TMPDIR ?? '/tmp'}/mien-tuner-${process?.pid}`;
  if (process) process.env.XDG_CACHE_HOME = folder;
  try {
    await deleteTuned();
    await use();
  } finally {
    await deleteTuned();
    if (process && before === undefined) delete process.env.XDG_CACHE_HOME;
    else if (process) process.env.XDG_CACHE_HOME = before;
    process?.getBuiltinModule?.('node:fs').rmSync(folder, { recursive: true, force: true });
  }
}

/** A stored entry, as far as tests change it. */
export interface KeptEntry {
  way: string;
  hash: string;
  readonly operation: string;
  readonly ways: Readonly<Record<string, number | null>>;
}

/** Changes every stored entry, and reloads them. */
export async function changeKept(change: (entry: KeptEntry) => void): Promise<void> {
  for (const name of await storedNames()) {
    const text = JSON.parse((await readText(name)) as string) as { readonly entries: readonly KeptEntry[] };
    for (const entry of text.entries) change(entry);
    await writeText(name, JSON.stringify(text));
  }
  await init({ tune: false });
  await init({ tune: true });
}
