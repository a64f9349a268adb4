/** Serves files (name to text or bytes) on localhost; `''` is the page. */
export function serve(
  files: ReadonlyMap<string, string | Uint8Array>,
  port?: number,
): Promise<{ readonly url: string; readonly close: () => void }>;
