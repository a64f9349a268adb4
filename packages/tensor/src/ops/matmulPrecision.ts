// How exact products of float32 are.
import { expectOneOf } from '../arguments.ts';
import { DeviceError } from '../errors.ts';
import { currentDevice } from '../runtime/defaultDevice.ts';
import { unchanging } from '../runtime/live.ts';
import { slot } from '../session.ts';

/** `highest`: all in float32. `medium`: operands rounded to f16, products and sums in float32. */
export type MatmulPrecision = 'highest' | 'medium';

const precision = slot<MatmulPrecision>(() => 'highest');

/** The precision that `setFloat32MatmulPrecision` chose, `highest` to begin with. */
export function getFloat32MatmulPrecision(): MatmulPrecision {
  return precision.value;
}

/**
 * Chooses how exact `matmul` and `linear` are from now on, gradients included (`torch.set_float32_matmul_precision`). `medium`
 * halves what large products read; values beyond 65504 become infinite, below 6e-8 zero, and the rest keeps 11 bits. Products
 * with fewer than 16 rows or columns stay in float32. Throws DeviceError for `medium` where the adapter has no shader-f16, ValueError for another
 * value.
 */
export function setFloat32MatmulPrecision(wanted: MatmulPrecision): void {
  expectOneOf('setFloat32MatmulPrecision', 'precision', wanted, ['highest', 'medium']);
  const { facts } = currentDevice();
  if (wanted === 'medium' && !facts.features.includes('shader-f16')) {
    throw new DeviceError(
      `setFloat32MatmulPrecision: medium needs shader-f16, which ${facts.name} does not support; use 'highest'`,
    );
  }
  precision.value = wanted;
}

/** The precision; a captured function refuses a call in which it has changed. */
export function precisionNow(): MatmulPrecision {
  unchanging('float32MatmulPrecision', getFloat32MatmulPrecision);
  return precision.value;
}
