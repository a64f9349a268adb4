// How a command ends: one plain sentence for errors, an orderly stop for Ctrl-C and for output that nobody reads.
import { MienError } from '@mien/tensor';
import { printError, watchPipes } from './output.ts';

/** Exit codes of a program that Ctrl-C ended, and of one whose output was closed, by convention of shells. */
const INTERRUPTED = 130;
const CLOSED = 141;

/**
 * Runs `command` with a signal that Ctrl-C sets; a second Ctrl-C ends at once. When standard output is closed the command stops
 * as orderly, and quietly. Sets the exit code.
 */
export async function runCommand(command: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  let code = INTERRUPTED;
  const onInterrupt = (): void => {
    if (stop.signal.aborted) process.exit(INTERRUPTED);
    printError('\nstopping after this step; Ctrl-C again ends at once');
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
    if (reason instanceof MienError) printError(`mien: ${reason.message}`);
    // Anything else is a bug of ours: its stack is what a report needs.
    else printError(`mien: unexpected, please report it\n${reason instanceof Error ? reason.stack : reason}`);
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onInterrupt);
  }
}

class Interrupted extends MienError {}
