/** The files of examples/browser, bundled, by name; `''` is the page. */
export function buildPage(): Promise<Map<string, string | Uint8Array>>;
