import { planBuffers } from '@mien/tensor/internal';
import { ensure } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law } from '../harness.ts';

const use = fc
  .record({ bytes: fc.integer({ min: 1, max: 99 }), first: fc.nat(40), length: fc.nat(9) })
  .map(({ bytes, first, length }) => ({ bytes, first, last: first + length }));

law(
  'planBuffers gives overlapping uses separate buffers that are large enough, and at least the bytes in use at once',
  fc.array(use, { maxLength: 40 }),
  (uses) => {
    const { sizes, places } = planBuffers(uses);
    for (const [i, a] of uses.entries()) {
      ensure((sizes[places[i] as number] as number) >= a.bytes, `${a.bytes} bytes in ${sizes[places[i] as number]}`);
      for (const [j, b] of uses.entries()) {
        const meet = i !== j && a.first <= b.last && b.first <= a.last;
        ensure(!meet || places[i] !== places[j], `uses ${i} and ${j} share a buffer`);
      }
    }
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const at = (moment: number): number =>
      uses.reduce((sum, { bytes, first, last }) => sum + (first <= moment && moment <= last ? bytes : 0), 0);
    const most = Math.max(0, ...Array.from({ length: 50 }, (_, moment) => at(moment)));
    const all = uses.reduce((sum, { bytes }) => sum + bytes, 0);
    ensure(total >= most && total <= all, `${total} bytes, at once ${most}, all ${all}`);
  },
);
