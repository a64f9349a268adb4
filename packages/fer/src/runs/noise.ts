// Random images for measurements of time.
import { Generator } from '@mien/tensor';
import { type Faces, PIXELS } from '../datasets/faces.ts';
import { FER2013_CLASSES } from '../datasets/fer2013.ts';

/** Random images and labels: the time of a step does not depend on them. */
export function noise(count: number, classes: readonly string[] = FER2013_CLASSES): Faces {
  const generator = new Generator(1);
  const words = Uint32Array.from({ length: (count * PIXELS) / 4 }, () => generator.uint32());
  return {
    dataset: 'noise',
    classes,
    images: new Uint8Array(words.buffer),
    labels: Uint8Array.from({ length: count }, (_, i) => i % classes.length),
    splits: { Training: Int32Array.from({ length: count }, (_, i) => i) },
  };
}
