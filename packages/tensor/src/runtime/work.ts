/** Describes a dispatch for the profiler. */
export interface Work {
  /** The operation and its shapes, which distinguish dispatches of one kernel. */
  readonly name?: string;
  /** Multiplications and additions; a multiply-add counts as two. */
  readonly flops?: number;
  /** Bytes read and written. Default: the bytes of all bindings, of which a kernel may read a part, or read them twice. */
  readonly bytes?: number;
}
