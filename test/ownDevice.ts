// A device of its own for a test that counts live bytes across an await: on the shared device the garbage collector may free
// tensors of earlier tests there.
import { device, init } from '@mien/tensor';
import { withNewSession } from '@mien/tensor/internal';

/** Runs `fn` in a new session with a new device of the same adapter, which has no tensors, and destroys the device. */
export async function withOwnDevice<T>(fn: () => Promise<T>): Promise<T> {
  const adapter = device().facts.name;
  return withNewSession(async () => {
    const own = await init({ adapter });
    try {
      return await fn();
    } finally {
      own.destroy();
    }
  });
}
