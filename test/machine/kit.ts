// Runs programs as a user would, with the machine's Vulkan drivers visible or hidden.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Exit code and output of a program. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Variables that hide every Vulkan driver from a process; without a Vulkan loader they have no effect. */
export const WITHOUT_VULKAN = { VK_DRIVER_FILES: '/nonexistent', VK_ICD_FILENAMES: '/nonexistent' } as const;

/** Why cases of the embedded SwiftShader cannot run on this machine, or undefined. */
export const NO_EMBEDDED: string | undefined =
  process.platform === 'linux' && process.arch === 'x64' ? undefined : 'SwiftShader is embedded on Linux x64 only';

/** Runs a program in `cwd` without the variables that npm and this test set. */
export function start(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  cwd?: string,
): Ended {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_|MIEN_|INIT_CWD$)/i.test(name));
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    env: { ...Object.fromEntries(inherited), ...environment },
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

/** Runs `use` with an empty temporary folder. */
export async function withFolder(use: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mien-machine-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
