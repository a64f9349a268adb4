// Face detection: the photo is resized, the anchors are decoded, and overlapping boxes become one face.
import { noGrad, scope, type Tensor, tensor, ValueError } from '@mien/tensor';
import { type Photo, resample } from '../photos/photo.ts';
import { type BlazeFace, COORDINATES, INPUT, MAPS } from './blazeFace.ts';
import { type Box, nonMaxSuppression, squareAbout } from './boxes.ts';

/** A point in a photo, in pixels. */
export type Point = readonly [x: number, y: number];

/** Names of a face's landmarks; left and right are those of the person. */
export const LANDMARKS = ['rightEye', 'leftEye', 'nose', 'mouth', 'rightEar', 'leftEar'] as const;

/** A detected face. */
export interface Detection {
  /** A square from the brows to the chin, which may extend beyond the photo. */
  readonly box: Box;
  /** Confidence of the detector, 0 to 1. */
  readonly score: number;
  readonly landmarks: Readonly<Record<(typeof LANDMARKS)[number], Point>>;
}

/** Minimum score of a face: faces cut off by the edge of a photo score higher, other things lower. */
const MIN_SCORE = 0.4;
/** Boxes whose intersection over union exceeds this are one face. */
const MERGE_LIMIT = 0.3;

/**
 * FER2013's images relative to the box that the detector finds in them (medians over PublicTest): 1.17 times as wide, with
 * the center higher by 0.11 of the box.
 */
const CROP_SCALE = 1.17;
const CROP_SHIFT = -0.11;

/** The centers of all 896 anchors in pixels of the input, in the order of the network's rows. */
export function anchors(): Point[] {
  return MAPS.flatMap(({ cells, anchors }) =>
    Array.from({ length: cells * cells * anchors }, (_, i): Point => {
      const cell = Math.floor(i / anchors);
      const side = INPUT / cells;
      return [((cell % cells) + 0.5) * side, (Math.floor(cell / cells) + 0.5) * side];
    }),
  );
}

/** The faces of a photo, highest score first. Faces smaller than 1/20 of the photo's longer side are missed. */
export async function detectFaces(net: BlazeFace, photo: Photo): Promise<Detection[]> {
  const window = squareAround(photo);
  const input = resample(photo, window, INPUT, INPUT).map((value) => value / 127.5 - 1);
  const { scores, boxes } = scope(() => noGrad(() => net.forward(tensor(input, { shape: [1, 3, INPUT, INPUT] }))));
  const outputs = await Promise.all([readAndDispose(scores), readAndDispose(boxes)]);
  return mergeFaces(decodeFaces(...outputs, window));
}

/** The concatenated values of the tensors. */
async function readAndDispose(tensors: readonly Tensor[]): Promise<number[]> {
  const values = await Promise.all(tensors.map((each) => each.data()));
  for (const each of tensors) each.dispose();
  return values.flatMap((each) => Array.from(each));
}

/** The crop of a face for a network trained on FER2013: tight, from the brows to the chin. */
export function cropOf({ box }: Pick<Detection, 'box'>): Box {
  return squareAbout(box, CROP_SCALE, CROP_SHIFT);
}

/** The smallest square that contains the photo, with the same center. */
function squareAround({ width, height }: Photo): Box {
  const side = Math.max(width, height);
  return { left: (width - side) / 2, top: (height - side) / 2, width: side, height: side };
}

/** The faces of a window: `scores` [896] before the sigmoid, `boxes` [896, 16] in input pixels relative to the anchors. */
export function decodeFaces(scores: ArrayLike<number>, boxes: ArrayLike<number>, window: Box): Detection[] {
  const centers = anchors();
  const coordinates = centers.length * COORDINATES;
  if (scores.length !== centers.length || boxes.length !== coordinates) {
    throw new ValueError(
      `decodeFaces: expected ${centers.length} scores and ${coordinates} coordinates, got ${scores.length} and ${boxes.length}`,
    );
  }
  const scale = window.width / INPUT;
  return centers.flatMap((center, i) => {
    const score = 1 / (1 + Math.exp(-(scores[i] as number)));
    if (!(score >= MIN_SCORE)) return [];
    const at = (column: number): number => boxes[i * COORDINATES + column] as number;
    const point = (column: number): Point => [
      window.left + scale * (center[0] + at(column)),
      window.top + scale * (center[1] + at(column + 1)),
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

/** Merges overlapping faces into their mean, weighted by score: the paper's replacement for non-maximum suppression. */
export function mergeFaces(faces: readonly Detection[]): Detection[] {
  const groups = nonMaxSuppression(
    faces.map(({ box }) => box),
    faces.map(({ score }) => score),
    MERGE_LIMIT,
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
