// How a command ends: one sentence for an error, an orderly stop for Ctrl-C and for a closed output.
import { MienError } from '@mien/tensor';
import { printError, watchPipes } from './output.ts';

/** Exit codes after Ctrl-C and after a closed standard output, by convention of shells. */
const INTERRUPTED = 130;
const CLOSED = 141;

/**
 * Runs `command` with a signal that Ctrl-C sets; a second Ctrl-C ends the process at once. A closed standard output stops
 * the command in the same way, without a message. Sets the exit code.
 */
export async function runCommand(command: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  let code = INTERRUPTED;
  const onInterrupt = (): void => {
    if (stop.signal.aborted) process.exit(INTERRUPTED);
    printError('\nstopping after this step; press Ctrl-C again to stop at once');
    stop.abort(new Interrupted('stopped by Ctrl-C'));
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  watchPipes(() => {
    if (stop.signal.aborted) return;
    code = CLOSED;
    process.exitCode = CLOSED;
    stop.abort(new Interrupted('standard output was closed'));
  });
  try {
    await command(stop.signal);
    process.exitCode = stop.signal.aborted ? code : 0;
  } catch (reason) {
    process.exitCode = stop.signal.aborted ? code : 1;
    if (code === CLOSED && stop.signal.aborted && reason instanceof Interrupted) return;
    printReason(reason);
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onInterrupt);
  }
}

function printReason(reason: unknown): void {
  if (reason instanceof Incomplete) for (const line of reason.lines) printError(`mien: ${line}`);
  else if (reason instanceof MienError) printError(`mien: ${reason.message}`);
  // Any other error is a bug of this package, and a report needs its stack.
  else printError(`mien: unexpected error, please report it\n${reason instanceof Error ? reason.stack : reason}`);
}

class Interrupted extends MienError {}

/** The command printed its report, parts of which failed. */
export class Incomplete extends MienError {
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}
