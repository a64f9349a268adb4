import { currentDevice } from '../runtime/defaultDevice.ts';
import { editKernels, type TextEdit } from '../runtime/kernel.ts';

/**
 * Runs `fn` while the texts of kernels and libraries are what `edit` returns for them, to see that a law notices a fault.
 * Kernels are named by their entry point (`im2col`), libraries as in a `uses` line (`lib/gemm.wgsl`). Restores them, also
 * after a promise. A text that does not compile is reported at the next host read.
 */
export async function withKernelText<T>(edit: TextEdit, fn: () => T | Promise<T>): Promise<T> {
  const replace = async (texts: TextEdit | null): Promise<void> => {
    await currentDevice()
      .synchronize()
      .catch(() => {}); // what is pending runs as it was encoded
    editKernels(texts);
    currentDevice().forgetKernelTexts();
  };
  await replace(edit);
  try {
    return await fn();
  } finally {
    await replace(null);
  }
}
