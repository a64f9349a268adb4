// Bitmaps inside SVG figures (Node only).
import sharp from 'sharp';
import type { Photo } from '../photos/photo.ts';

/** A photo of this size as an SVG image, with twice the resolution for dense screens. */
export async function photoImage(photo: Photo, x: number, y: number, width: number, height: number): Promise<string> {
  const jpeg = await sharp(photo.data, { raw: { width: photo.width, height: photo.height, channels: 3 } })
    .resize({ width: Math.round(2 * width), height: Math.round(2 * height), fit: 'fill' })
    .jpeg({ quality: 88 })
    .toBuffer();
  return image(`data:image/jpeg;base64,${jpeg.toString('base64')}`, x, y, width, height);
}

/** A square of gray bytes as an SVG image without interpolation. */
export async function grayImage(gray: Uint8Array, x: number, y: number, size: number): Promise<string> {
  const png = await grayPng(gray);
  return image(`data:image/png;base64,${png.toString('base64')}`, x, y, size, size, ' image-rendering="optimizeSpeed"');
}

/** A square of gray bytes as a PNG file. */
export function grayPng(gray: Uint8Array): Promise<Buffer> {
  const side = Math.sqrt(gray.length);
  return sharp(gray, { raw: { width: side, height: side, channels: 1 } })
    .png()
    .toBuffer();
}

function image(data: string, x: number, y: number, width: number, height: number, style = ''): string {
  return `<image x="${x}" y="${y}" width="${width}" height="${height}" preserveAspectRatio="none"${style} href="${data}"/>`;
}

/** A square of RGB bytes as an interpolated SVG image. */
export async function heatImage(rgb: Uint8Array, x: number, y: number, size: number, cover: number): Promise<string> {
  const side = Math.sqrt(rgb.length / 3);
  const png = await sharp(rgb, { raw: { width: side, height: side, channels: 3 } })
    .resize({ width: 2 * size, height: 2 * size, kernel: 'cubic' })
    .png()
    .toBuffer();
  return `<g opacity="${cover}">${image(`data:image/png;base64,${png.toString('base64')}`, x, y, size, size)}</g>`;
}
