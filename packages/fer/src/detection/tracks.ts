// Which faces of successive frames are one face: by overlap of their boxes. For browsers and Node.
import { type Box, overlap } from './boxes.ts';

/** Boxes of successive frames that overlap by less belong to two faces. */
const SAME = 0.3;
/** Seconds after which a face that comes back is a new one. */
const PATIENCE = 1;

interface Track {
  readonly id: number;
  box: Box;
  seconds: number;
}

/** Gives the faces of a video numbers from 1 on, frame by frame. */
export class FaceTracker {
  #tracks: Track[] = [];
  #count = 0;

  /**
   * The number of each face of the next frame, which is shown at `seconds`. The pairs of a face seen within the last second
   * and one of this frame that overlap most are one face; what is left over begins anew.
   */
  next(boxes: readonly Box[], seconds: number): number[] {
    this.#tracks = this.#tracks.filter((track) => seconds - track.seconds <= PATIENCE);
    const pairs = this.#tracks
      .flatMap((track) => boxes.map((box, i) => ({ track, i, shared: overlap(track.box, box) })))
      .filter(({ shared }) => shared >= SAME)
      .sort((a, b) => b.shared - a.shared);
    const found = new Map<number, Track>();
    const taken = new Set<Track>();
    for (const { track, i } of pairs) {
      if (found.has(i) || taken.has(track)) continue;
      found.set(i, track);
      taken.add(track);
    }
    return boxes.map((box, i) => {
      const track = found.get(i) ?? { id: ++this.#count, box, seconds };
      if (!found.has(i)) this.#tracks.push(track);
      Object.assign(track, { box, seconds });
      return track.id;
    });
  }
}
