// What reads the folders of a data set (Node only).
import type { DatasetName } from '../catalog.ts';
import type { Faces } from '../faces.ts';

/** Reads one layout of folders. */
export interface FolderReader {
  readonly dataset: DatasetName;
  /** The layout, for the error when no reader recognizes a folder. */
  readonly layout: string;
  /** Whether a folder has this layout. `names` are its files and folders; `asked` says that the caller expects the data set. */
  readonly recognizes: (folder: string, names: readonly string[], asked: boolean) => boolean | Promise<boolean>;
  /** Reads the folder. Throws FormatError naming the file or folder. */
  readonly read: (folder: string, onShare: (share: number) => void) => Promise<Faces>;
}
