/** What a dispatch does, for the profiler: only the operation knows it. */
export interface Work {
  /** The operation and its shapes: dispatches of one kernel are told apart by it. */
  readonly name?: string;
  /** Multiplications and additions; a multiply-add counts two. */
  readonly flops?: number;
  /** Bytes read and written; without it the bytes of all bindings, which a kernel may read in part or twice. */
  readonly bytes?: number;
}
