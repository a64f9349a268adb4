import { build, type Element, elementAt, stretchedAt, stretchedShape, type Values } from './values.ts';

/** What is taken of a dimension: a position, `count` positions from `start` in steps, or those of a tensor; null adds a dimension. */
export type Selection =
  | number
  | null
  | { readonly start: number; readonly count: number; readonly step: number }
  | Values;

const isTensor = (selection: Selection): selection is Values =>
  typeof selection === 'object' && selection !== null && 'data' in selection;

/** x by one selection for each dimension, with positions from 0 up. */
export function select(x: Values, selections: readonly Selection[]): Values {
  const kept = selections.filter((selection) => typeof selection !== 'number');
  const tensors = kept.filter(isTensor);
  const joint = tensors.reduce<readonly number[]>((shape, { shape: next }) => stretchedShape(shape, next), []);
  const first = kept.findIndex(isTensor);
  const areNeighbors = kept.slice(first, first + tensors.length).every(isTensor);
  // Where the dimensions of the tensors are in the result.
  const place = tensors.length > 0 && areNeighbors ? first : 0;
  const others = kept.flatMap((each) =>
    isTensor(each) ? [] : [each === null ? 1 : (each as { count: number }).count],
  );
  return build([...others.slice(0, place), ...joint, ...others.slice(place)], (i): Element => {
    const inTensors = i.slice(place, place + joint.length);
    const inOthers = [...i.slice(0, place), ...i.slice(place + joint.length)];
    let next = 0;
    const from = selections.flatMap((selection) => {
      if (typeof selection === 'number') return [selection];
      if (selection !== null && isTensor(selection)) return [stretchedAt(selection, inTensors).value];
      const p = inOthers[next++] as number;
      return selection === null ? [] : [selection.start + p * selection.step];
    });
    return elementAt(x, from);
  });
}
