// The browser example: page and worker bundled as two entries, beside the page's other files.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleForBrowser } from './bundle.mjs';
import { root } from './workspace.mjs';

const folder = join(root, 'examples', 'browser');

/** Files to serve by name; '' is the page. */
export async function buildPage() {
  /** @type {Map<string, string | Uint8Array>} */
  const files = new Map([['favicon.ico', '']]);
  for (const name of readdirSync(folder)) if (!name.endsWith('.ts')) files.set(name, readFileSync(join(folder, name)));
  files.set('', files.get('index.html') ?? '');
  /** @type {Record<string, string>} */
  const entries = {};
  for (const name of ['page', 'worker'])
    if (existsSync(join(folder, `${name}.ts`))) entries[name] = join(folder, `${name}.ts`);
  for (const [name, text] of await bundleForBrowser(entries)) files.set(name, text);
  return files;
}
