// Output of commands: escapes control characters, and ends quietly when the output is closed.

/** Escapes control characters other than line ends and tabs, which a terminal would interpret: `\x1b` for an escape. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is escaped
  return text.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Prints text on standard output. */
export function print(text: string): void {
  process.stdout.write(printable(text));
}

/** Prints one JSON object as a line on standard output. */
export function printJson(object: object): void {
  // JSON escapes control characters below 32 itself.
  const text = JSON.stringify(object).replace(/[\x7f-\x9f]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
  process.stdout.write(`${text}\n`);
}

/** Prints a line on standard error. */
export function printError(line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}

/**
 * Calls `onClosed` when standard output is closed (`mien ... | head`). When standard error is closed, the command continues
 * without progress.
 */
export function watchPipes(onClosed: () => void): void {
  const closed = (reason: NodeJS.ErrnoException): boolean =>
    ['EPIPE', 'ERR_STREAM_DESTROYED', 'EIO'].includes(reason.code ?? '');
  process.stdout.on('error', (reason) => {
    if (!closed(reason)) throw reason;
    onClosed();
  });
  process.stderr.on('error', (reason) => {
    if (!closed(reason)) throw reason;
  });
}
