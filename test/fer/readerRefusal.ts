// What readFaces says of files that it refuses.
import { readFaces } from '@mien/fer/node';
import { FormatError } from '@mien/nn';

/** The message of the FormatError that reading `path` throws, or `accepted`. Other errors are thrown. */
export async function readerRefusal(path: string): Promise<string> {
  try {
    await readFaces(path);
  } catch (reason) {
    if (reason instanceof FormatError) return reason.message;
    throw reason;
  }
  return 'accepted';
}
