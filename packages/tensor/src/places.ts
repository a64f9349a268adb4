// Where operations are made, for reports: the layer that calls them, and the gradient that they are done for.

import { expectFunction } from './arguments.ts';
import { slot, withValue } from './session.ts';

/** A layer, inside of others. Its name is worked out when a report needs it. */
export interface Place {
  /** As in a state dict, `features.3.conv`. */
  readonly name: string;
}

const place = slot<Place | null>(() => null);
const purpose = slot(() => '');

/** The layer whose operations are made now. */
export function currentPlace(): Place | null {
  return place.value;
}

/** Runs `fn` as part of the layer `inner`; modules do this with their forward. */
export function within<T>(inner: Place | null, fn: () => T): T {
  expectFunction('within', fn);
  return withValue(place, inner, fn);
}

/** What operations are done for now, such as `the gradient of conv2d`; an empty string in a forward pass. */
export function currentPurpose(): string {
  return purpose.value;
}

/** Runs `fn`, whose operations are done for what `name` says. */
export function forPurpose<T>(name: string, fn: () => T): T {
  return withValue(purpose, name, fn);
}
