// Files that an operating system leaves in folders of images; they belong to no data set.

/** Whether a name is of such a file or folder: hidden ones (`._face.png`, `.DS_Store`), and those that Windows and archives of macOS add. */
export function isSystemName(name: string): boolean {
  return name.startsWith('.') || ['thumbs.db', 'desktop.ini', '__macosx'].includes(name.toLowerCase());
}
