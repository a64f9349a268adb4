// The result of `video`.
import type { Box } from '../../detection/boxes.ts';
import type { ModelName } from '../../models/catalog.ts';

/** A face in one frame: smoothed probabilities and their prediction, and the frame's own probabilities as `raw`. */
export interface VideoMoment {
  readonly frame: number;
  readonly seconds: number;
  readonly box: Box;
  readonly score: number | null;
  readonly expression: string;
  readonly unsure: boolean;
  readonly probabilities: Readonly<Record<string, number>>;
  readonly raw: Readonly<Record<string, number>>;
}

/** One tracked face. */
export interface VideoFace {
  readonly face: number;
  readonly moments: readonly VideoMoment[];
}

/** The result of `video`. */
export interface VideoReport {
  readonly adapter: string;
  readonly weights: string;
  readonly model: ModelName;
  readonly video: string;
  readonly classes: readonly string[];
  readonly frames: number;
  /** The time of the last frame. */
  readonly seconds: number;
  readonly smoothing: number;
  readonly faces: readonly VideoFace[];
  /** One message per frame that could not be read. */
  readonly errors: readonly string[];
}
