// One class per remedy: the class depends on what the caller should do, not on where the error was thrown.

/** Base of all errors that Mien throws on purpose; other errors are bugs. */
export class MienError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Shapes do not match: change one. */
export class ShapeError extends MienError {}

/** The operation does not take this element type: convert with `to(dtype)`. */
export class DtypeError extends MienError {}

/** The operation does not accept a number or an option: change the argument. */
export class ValueError extends MienError {}

/** A result is NaN or infinite: check the operation that it names, its inputs and the learning rate. */
export class AnomalyError extends MienError {
  /** The operation and its purpose: `mul in the gradient of sqrt`. */
  readonly operation: string;
  /** The layer that called it, named as in the state dict; null outside of all layers. */
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

/** There is no usable adapter, no device yet, or the device was lost: install a driver or call `init()`. */
export class DeviceError extends MienError {}

/** The work exceeds what the adapter allows: make it smaller, usually by a smaller batch. */
export class LimitError extends MienError {
  /** The bytes that the adapter had allocated when it ran out of memory; null for other limits. */
  readonly heldBytes: number | null;

  constructor(message: string, options: ErrorOptions & { readonly heldBytes?: number } = {}) {
    super(message, options);
    this.heldBytes = options.heldBytes ?? null;
  }
}

/** A tensor was used after it was freed: take it out of its scope with `keep`, or return it. */
export class DisposedError extends MienError {}

/** An algorithm was requested by name that the shape or the adapter does not allow: choose another, or none. */
export class AlgorithmError extends MienError {}

/** Differentiation is impossible: the graph was freed, or the operation has no derivative of this order. */
export class GradientError extends MienError {}

/** A replay of a captured function would differ from the function: call the function itself, or capture it again. */
export class CaptureError extends MienError {}
