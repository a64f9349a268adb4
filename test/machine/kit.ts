// Programs as a user starts them, with and without a Vulkan driver that they can see.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How a program ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Variables that hide every Vulkan driver of the system from a process; without a loader on the machine they do nothing. */
export const WITHOUT_VULKAN = { VK_DRIVER_FILES: '/nonexistent', VK_ICD_FILENAMES: '/nonexistent' } as const;

/** Why cases about the embedded SwiftShader cannot run here, if they cannot. */
export const NO_EMBEDDED: string | undefined =
  process.platform === 'linux' && process.arch === 'x64' ? undefined : 'SwiftShader is embedded on Linux x64 only';

/** Runs a program in `cwd` without what npm and this test set in the environment. */
export function start(
  command: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  cwd?: string,
): Ended {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|MIEN_|INIT_CWD$)/i.test(name));
  const { status, stdout, stderr } = spawnSync(command, words, {
    cwd,
    env: { ...Object.fromEntries(kept), ...environment },
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

/** Runs `use` with an empty folder, which is deleted afterwards. */
export async function withFolder(use: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mien-machine-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
