/** A place that may have an adapter; `open` gives null where it has none after all. */
export interface AdapterSource {
  readonly name: string;
  readonly open: () => Promise<GPUAdapter | null>;
}
