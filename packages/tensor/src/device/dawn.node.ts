// Toggles of Dawn, the WebGPU implementation in Node: its documentation calls them features (`dawn.node` flags).
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ValueError } from '../errors.ts';

/** Toggles that Mien sets; the caller's override them. */
const defaults: readonly string[] = ['-timestamp_quantization'];

/** The toggles of MIEN_DAWN, as `init({ dawn })` takes them. */
export function environmentToggles(): readonly string[] {
  return (process.env.MIEN_DAWN ?? '').split(',').flatMap((toggle) => toggle.trim() || []);
}

/**
 * The options of Dawn's `create` that set `toggles`: a name enables one, `-name` disables it. Throws ValueError for a
 * name that this build of Dawn does not have, because Dawn ignores unknown names.
 */
export function toggleOptions(toggles: readonly string[]): readonly string[] {
  for (const toggle of toggles) {
    if (known(toggle.replace(/^-/, ''))) continue;
    throw new ValueError(
      `init: expected names of Dawn toggles, got '${toggle}', which this build of Dawn does not have; correct init({ dawn }) or MIEN_DAWN`,
    );
  }
  const set = new Map([...defaults, ...toggles].map((toggle) => [toggle.replace(/^-/, ''), !toggle.startsWith('-')]));
  const named = (enabled: boolean): string => [...set].flatMap(([name, on]) => (on === enabled ? name : [])).join(',');
  const [enable, disable] = [named(true), named(false)];
  return [
    ...(enable ? [`enable-dawn-features=${enable}`] : []),
    ...(disable ? [`disable-dawn-features=${disable}`] : []),
  ];
}

/** Whether Dawn's binary contains `name` as a string; its binding has no list of toggles. */
function known(name: string): boolean {
  if (!/^[a-z0-9]+(_[a-z0-9]+)+$/.test(name)) return false;
  const platform = process.platform === 'darwin' ? 'darwin-universal' : `${process.platform}-${process.arch}`;
  const webgpu = dirname(createRequire(import.meta.url).resolve('webgpu'));
  return readFileSync(join(webgpu, 'dist', platform, 'dawn.node')).includes(`\0${name}\0`);
}
