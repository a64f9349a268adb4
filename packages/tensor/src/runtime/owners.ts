// Names the owners of device memory in errors.

/** An owner of device memory. */
export interface Owner {
  /** The operation that allocated it, or its kind, such as `parameters`. */
  readonly origin: string;
  readonly shape: readonly number[] | null;
}

const mostNamed = 4;

/** The largest owners: `conv2d (600 MB), parameters (80 MB)`. */
export function ownersText(buffers: readonly { readonly owner: Owner; readonly bytes: number }[]): string {
  const byOrigin = new Map<string, number>();
  for (const { owner, bytes } of buffers) byOrigin.set(owner.origin, (byOrigin.get(owner.origin) ?? 0) + bytes);
  const largest = [...byOrigin].sort(([, a], [, b]) => b - a).slice(0, mostNamed);
  if (largest.length === 0) return 'nothing';
  return largest.map(([origin, bytes]) => `${origin} (${sizeText(bytes)})`).join(', ');
}

/** Bytes for people: `63.4 MB`. */
export function sizeText(bytes: number): string {
  const [unit, name] = bytes >= 1e9 ? [1e9, 'GB'] : bytes >= 1e6 ? [1e6, 'MB'] : [1e3, 'kB'];
  const value = bytes / unit;
  return bytes < 1000 ? `${bytes} bytes` : `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${name}`;
}
