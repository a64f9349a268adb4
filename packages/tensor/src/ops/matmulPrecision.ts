// The precision of float32 matrix products.
import { expectOneOf } from '../arguments.ts';
import { DeviceError } from '../errors.ts';
import { currentDevice } from '../runtime/defaultDevice.ts';
import { unchanging } from '../runtime/live.ts';
import { slot } from '../session.ts';

/** `highest`: all in float32. `medium`: operands rounded to f16, products and sums in float32. */
export type MatmulPrecision = 'highest' | 'medium';

const precision = slot<MatmulPrecision>(() => 'highest');

/** The precision that `setFloat32MatmulPrecision` chose. Default `highest`. */
export function getFloat32MatmulPrecision(): MatmulPrecision {
  return precision.value;
}

/**
 * Sets the precision of later calls of `matmul` and `linear`, gradients included (`torch.set_float32_matmul_precision`).
 * `medium` halves the bytes that large products read; values beyond 65504 become infinite, those below 6e-8 zero, and the rest
 * keeps 11 bits. Products with fewer than 16 rows or columns stay in float32. Throws DeviceError for `medium` where the adapter
 * has no shader-f16, ValueError for another value.
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
