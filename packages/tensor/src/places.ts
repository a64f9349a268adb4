// The current layer and purpose of operations, for reports.
import { expectFunction } from './arguments.ts';
import { slot, withValue } from './session.ts';

/** A layer; its name is computed when a report needs it. */
export interface Place {
  /** As in a state dict: `features.3.conv`. */
  readonly name: string;
}

const place = slot<Place | null>(() => null);
const purpose = slot(() => '');

/** The layer whose operations run. */
export function currentPlace(): Place | null {
  return place.value;
}

/** Runs `fn` as part of the layer `inner`, as modules run their `forward`. */
export function within<T>(inner: Place | null, fn: () => T): T {
  expectFunction('within', fn);
  return withValue(place, inner, fn);
}

/** The purpose of operations, such as `the gradient of conv2d`; an empty string in a forward pass. */
export function currentPurpose(): string {
  return purpose.value;
}

/** Runs `fn` with `name` as the purpose of its operations. */
export function forPurpose<T>(name: string, fn: () => T): T {
  return withValue(purpose, name, fn);
}
