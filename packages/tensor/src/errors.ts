// One class per remedy: what a caller would do differently decides the class, not where it was thrown.

/** Base of every error that Mien throws on purpose; catch it to tell them from bugs. */
export class MienError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Sizes do not fit each other: change a shape. */
export class ShapeError extends MienError {}

/** The element type is not one the operation takes: convert with `to(dtype)`. */
export class DtypeError extends MienError {}

/** A number or option is outside what the operation accepts: change the argument. */
export class ValueError extends MienError {}

/** A result is NaN or infinite: look at the operation that it names, at its inputs and at the learning rate. */
export class AnomalyError extends MienError {
  /** The operation, and what it was done for: `mul in the gradient of sqrt`. */
  readonly operation: string;
  /** The layer that it was called in, named as in the state dict; null outside of all layers. */
  readonly layer: string | null;
  readonly value: 'NaN' | 'Infinity';

  constructor(message: string, found: { operation: string; layer: string | null; value: 'NaN' | 'Infinity' }) {
    super(message);
    this.operation = found.operation;
    this.layer = found.layer;
    this.value = found.value;
  }
}

/** WGSL, a binding or a kernel parameter is wrong: change the kernel or its call. */
export class KernelError extends MienError {}

/** There is no usable adapter, no device yet, or the device was lost: change the machine's set-up or call `init()`. */
export class DeviceError extends MienError {}

/** The work is larger than the adapter allows: make it smaller, usually by a smaller batch. */
export class LimitError extends MienError {
  /** Where the adapter had no memory left, the bytes that it did give; else null. */
  readonly heldBytes: number | null;

  constructor(message: string, options: ErrorOptions & { readonly heldBytes?: number } = {}) {
    super(message, options);
    this.heldBytes = options.heldBytes ?? null;
  }
}

/** A tensor was used after its memory was given back: keep it alive with `keep` or return it from its scope. */
export class DisposedError extends MienError {}

/** An algorithm was asked for by name that the shape or the adapter does not allow: choose another, or none. */
export class AlgorithmError extends MienError {}

/** Automatic differentiation cannot go on: the graph is gone, or the operation has no derivative of this order. */
export class GradientError extends MienError {}

/** A captured function was called where its replay would not do what it does: call the function itself, or capture anew. */
export class CaptureError extends MienError {}
