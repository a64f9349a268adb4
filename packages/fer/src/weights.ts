// Pretrained networks, in a separate module so that pages with other weights do not load them. Model card:
// ../weights/README.md.

type Bytes = Promise<{ readonly default: Uint8Array }>;

const FILES = {
  small: (): Bytes => import('../weights/small.safetensors'),
  nano: (): Bytes => import('../weights/nano.safetensors'),
} as const;

/** The networks that are trained on FER2013. */
export type ShippedName = keyof typeof FILES;
export const SHIPPED: readonly ShippedName[] = Object.keys(FILES) as ShippedName[];

/** The bytes of a trained network's checkpoint, for `readTraining` or `readSafetensors`: float16 safetensors. */
export async function shippedWeights(name: ShippedName): Promise<Uint8Array> {
  return (await FILES[name]()).default;
}
