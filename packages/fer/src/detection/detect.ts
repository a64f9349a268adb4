// Faces of a photo: the photo at the network's size, anchors into boxes, and one box a face.
import { noGrad, scope, type Tensor, tensor, ValueError } from '@mien/tensor';
import { type Photo, resample } from '../photos/photo.ts';
import { type BlazeFace, COORDINATES, INPUT, MAPS } from './blazeFace.ts';
import { type Box, squareAbout, suppress } from './boxes.ts';

/** A place in a photo, in pixels. */
export type Point = readonly [x: number, y: number];

/** What a face's landmarks are, left and right as the person has them. */
export const LANDMARKS = ['rightEye', 'leftEye', 'nose', 'mouth', 'rightEar', 'leftEar'] as const;

/** A face that was found. */
export interface Detection {
  /** A square from the brows to the chin, which may reach beyond the photo. */
  readonly box: Box;
  /** 0 to 1. */
  readonly score: number;
  readonly landmarks: Readonly<Record<(typeof LANDMARKS)[number], Point>>;
}

/** How sure the network must be of a face: between what it says of faces that are cut off and of what is none. */
const LEAST_SCORE = 0.4;
/** Boxes that overlap by more are one face. */
const SAME_FACE = 0.3;

/**
 * FER2013's frame beside our box of the face in it, the medians over images of PublicTest that were shown to the detector:
 * 1.17 times as wide, its middle higher by 0.11 of the box.
 */
const CROP = 1.17;
const RAISE = 0.11;

/** The middles of all 896 anchors in pixels of the input, in the order of the network's rows. */
export function anchors(): Point[] {
  return MAPS.flatMap(({ cells, anchors }) =>
    Array.from({ length: cells * cells * anchors }, (_, i): Point => {
      const cell = Math.floor(i / anchors);
      const side = INPUT / cells;
      return [((cell % cells) + 0.5) * side, (Math.floor(cell / cells) + 0.5) * side];
    }),
  );
}

/** Faces of the photo, the surest first. Those smaller than a twentieth of the longer side are missed. */
export async function detectFaces(net: BlazeFace, photo: Photo): Promise<Detection[]> {
  const window = squareOf(photo);
  const input = resample(photo, window, INPUT, INPUT).map((value) => value / 127.5 - 1);
  const { scores, boxes } = scope(() => noGrad(() => net.forward(tensor(input, { shape: [1, 3, INPUT, INPUT] }))));
  const both = await Promise.all([joined(scores), joined(boxes)]);
  return mergeFaces(decodeFaces(...both, window));
}

/** The values of tensors one after another; frees them. */
async function joined(tensors: readonly Tensor[]): Promise<number[]> {
  const values = await Promise.all(tensors.map((each) => each.data()));
  for (const each of tensors) each.dispose();
  return values.flatMap((each) => Array.from(each));
}

/** What a network trained on FER2013 should see of a face: tight, from the brows' top to the chin. */
export function cropOf({ box }: Pick<Detection, 'box'>): Box {
  return squareAbout(box, CROP, -RAISE);
}

/** The square that the network sees: all of the photo, in the middle. */
function squareOf({ width, height }: Photo): Box {
  const side = Math.max(width, height);
  return { left: (width - side) / 2, top: (height - side) / 2, width: side, height: side };
}

/** Faces of one window: `scores` [896] before the sigmoid, `boxes` [896, 16] in pixels of the input about the anchors. */
export function decodeFaces(scores: ArrayLike<number>, boxes: ArrayLike<number>, window: Box): Detection[] {
  const middles = anchors();
  if (scores.length !== middles.length || boxes.length !== middles.length * COORDINATES) {
    throw new ValueError(
      `decodeFaces: ${scores.length} scores and ${boxes.length} coordinates, expected ${middles.length} and ${middles.length * COORDINATES}`,
    );
  }
  const scale = window.width / INPUT;
  return middles.flatMap((middle, i) => {
    const score = 1 / (1 + Math.exp(-(scores[i] as number)));
    if (!(score >= LEAST_SCORE)) return [];
    const at = (column: number): number => boxes[i * COORDINATES + column] as number;
    const point = (column: number): Point => [
      window.left + scale * (middle[0] + at(column)),
      window.top + scale * (middle[1] + at(column + 1)),
    ];
    const [x, y] = point(0);
    const [width, height] = [scale * at(2), scale * at(3)];
    if (!(width > 0 && height > 0)) return [];
    return {
      box: { left: x - width / 2, top: y - height / 2, width, height },
      score,
      landmarks: Object.fromEntries(LANDMARKS.map((name, k) => [name, point(4 + 2 * k)])) as Detection['landmarks'],
    };
  });
}

/** One face for all that overlap: the mean of them, each as much as its score, as the paper does instead of taking the best. */
export function mergeFaces(faces: readonly Detection[]): Detection[] {
  const groups = suppress(
    faces.map(({ box }) => box),
    faces.map(({ score }) => score),
    SAME_FACE,
  );
  return groups.map((group) => {
    const members = group.map((i) => faces[i] as Detection);
    const total = members.reduce((sum, { score }) => sum + score, 0);
    const mean = (of: (face: Detection) => number): number =>
      members.reduce((sum, face) => sum + face.score * of(face), 0) / total;
    const [best] = members as [Detection];
    return {
      box: {
        left: mean(({ box }) => box.left),
        top: mean(({ box }) => box.top),
        width: mean(({ box }) => box.width),
        height: mean(({ box }) => box.height),
      },
      score: best.score,
      landmarks: Object.fromEntries(
        LANDMARKS.map((name) => [
          name,
          [mean(({ landmarks }) => landmarks[name][0]), mean(({ landmarks }) => landmarks[name][1])] as const,
        ]),
      ) as Detection['landmarks'],
    };
  });
}
