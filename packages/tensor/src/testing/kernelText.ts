import { currentDevice } from '../runtime/defaultDevice.ts';
import { editKernels, type TextEdit } from '../runtime/kernel.ts';

/**
 * Runs `fn` with `edit` applied to the texts of kernels and libraries, to prove that a law detects a fault. Kernels are named by
 * their entry point (`im2col`), libraries as in a `uses` line (`lib/gemm.wgsl`). Restores the texts after `fn` or its promise. The
 * next host read reports a text that does not compile.
 */
export async function withKernelText<T>(edit: TextEdit, fn: () => T | Promise<T>): Promise<T> {
  const replace = async (texts: TextEdit | null): Promise<void> => {
    await currentDevice()
      .synchronize()
      .catch(() => {}); // pending commands run as they were encoded
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
