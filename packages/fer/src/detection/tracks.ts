// Face tracking across video frames by the overlap of boxes. For browsers and Node.
import { type Box, iou } from './boxes.ts';

/** Minimum intersection over union of one face's boxes in successive frames. */
const MIN_OVERLAP = 0.3;
/** Seconds without a detection after which a track ends. */
const MAX_GAP = 1;

interface Track {
  readonly id: number;
  box: Box;
  seconds: number;
}

/** Numbers the faces of a video frame by frame, starting at 1. */
export class FaceTracker {
  #tracks: Track[] = [];
  #count = 0;

  /**
   * The number of each face in the next frame, whose time is `seconds`. Faces of the last second are matched greedily with
   * those of this frame, largest overlap first; unmatched faces get new numbers.
   */
  next(boxes: readonly Box[], seconds: number): number[] {
    this.#tracks = this.#tracks.filter((track) => seconds - track.seconds <= MAX_GAP);
    const pairs = this.#tracks
      .flatMap((track) => boxes.map((box, i) => ({ track, i, shared: iou(track.box, box) })))
      .filter(({ shared }) => shared >= MIN_OVERLAP)
      .sort((a, b) => b.shared - a.shared);
    const matches = new Map<number, Track>();
    const matched = new Set<Track>();
    for (const { track, i } of pairs) {
      if (matches.has(i) || matched.has(track)) continue;
      matches.set(i, track);
      matched.add(track);
    }
    return boxes.map((box, i) => {
      const track = matches.get(i) ?? { id: ++this.#count, box, seconds };
      if (!matches.has(i)) this.#tracks.push(track);
      Object.assign(track, { box, seconds });
      return track.id;
    });
  }
}
