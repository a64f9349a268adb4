import { MienError } from '@mien/tensor';

/** A file's bytes violate its format: get or create the file again. Names the file and the place. */
export class FormatError extends MienError {}

/** Saved tensors do not fit the module or optimizer that loads them: build the one that was saved. */
export class StateError extends MienError {}
