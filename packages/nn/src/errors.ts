import { MienError } from '@mien/tensor';

/** A file's bytes are not what their format says: get the file again, or make it again. Names the file and the place. */
export class FormatError extends MienError {}

/** Saved tensors do not fit the module or optimizer they are loaded into: build the network they were saved from. */
export class StateError extends MienError {}
