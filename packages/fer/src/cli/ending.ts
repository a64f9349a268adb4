// How a command ends: one plain sentence for errors, an orderly stop for Ctrl-C.
import { MienError } from '@mien/tensor';

/** Exit code of a program that Ctrl-C ended, by convention of shells. */
const INTERRUPTED = 130;

/** Runs `command` with a signal that Ctrl-C sets; a second Ctrl-C ends at once. Sets the exit code. */
export async function runCommand(command: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const onInterrupt = (): void => {
    if (stop.signal.aborted) process.exit(INTERRUPTED);
    process.stderr.write('\nstopping after this step; Ctrl-C again ends at once\n');
    stop.abort(new Interrupted('stopped by Ctrl-C'));
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  try {
    await command(stop.signal);
    process.exitCode = stop.signal.aborted ? INTERRUPTED : 0;
  } catch (reason) {
    process.exitCode = stop.signal.aborted ? INTERRUPTED : 1;
    if (reason instanceof Interrupted) process.stderr.write(`mien: ${reason.message}\n`);
    else if (reason instanceof MienError) process.stderr.write(`mien: ${reason.message}\n`);
    // Anything else is a bug of ours: its stack is what a report needs.
    else
      process.stderr.write(`mien: unexpected, please report it\n${reason instanceof Error ? reason.stack : reason}\n`);
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onInterrupt);
  }
}

class Interrupted extends MienError {}
