// Networks that come trained with the package, apart from the rest so that a page which brings its own does not load them.
// What they are, and what they are not for: ../weights/README.md.
import type { ModelName } from './training/config.ts';

/** The networks that come trained on FER2013. */
export type ShippedName = Extract<ModelName, 'small' | 'nano'>;
export const SHIPPED: readonly ShippedName[] = ['small', 'nano'];

/** The bytes of a trained network's checkpoint, for `readTraining` or `readSafetensors`: float16 safetensors. */
export async function shippedWeights(name: ShippedName): Promise<Uint8Array> {
  const { default: bytes } = await (name === 'small'
    ? import('../weights/small.safetensors')
    : import('../weights/nano.safetensors'));
  return bytes;
}
