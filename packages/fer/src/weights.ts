// Pretrained networks, in a separate module so that pages with other weights do not load them. Model card: ../weights/README.md.
import type { ModelName } from './training/config.ts';

/** The networks that are shipped with weights trained on FER2013. */
export type ShippedName = Extract<ModelName, 'small' | 'nano'>;
export const SHIPPED: readonly ShippedName[] = ['small', 'nano'];

/** The checkpoint of a pretrained network, a float16 safetensors file, for `readTraining` or `readSafetensors`. */
export async function shippedWeights(name: ShippedName): Promise<Uint8Array> {
  const { default: bytes } = await (name === 'small'
    ? import('../weights/small.safetensors')
    : import('../weights/nano.safetensors'));
  return bytes;
}
