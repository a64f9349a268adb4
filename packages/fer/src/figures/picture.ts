// Figures as files, SVG or PNG by the extension (Node only).
import { extname } from 'node:path';
import { writeFile } from '@mien/nn/files';
import { ValueError } from '@mien/tensor';
import { png } from './lettering.ts';

/** Writes a figure in the format of the file's extension. Throws ValueError unless that is .svg or .png. */
export function writePicture(file: string, svg: string): void {
  checkPicture(file);
  writeFile(file, extname(file).toLowerCase() === '.svg' ? svg : png(svg));
}

/** Throws ValueError unless the file's extension is .svg or .png; called before the work whose figure it stores. */
export function checkPicture(file: string): void {
  const extension = extname(file).toLowerCase();
  if (extension === '.svg' || extension === '.png') return;
  throw new ValueError(`${file}: expected the extension .svg or .png, got ${JSON.stringify(extension)}`);
}
