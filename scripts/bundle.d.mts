/** Bundles browser entries (name to path from the root); gives file names and their text. */
export function bundleForBrowser(entries: Readonly<Record<string, string>>): Promise<Map<string, string>>;
