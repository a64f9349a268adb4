import { type Faces, joinFerPlus, parseFerPlus, softTargets, withoutNotFaces } from '@mien/fer';
import { FormatError } from '@mien/nn';
import { ValueError } from '@mien/tensor';
import { refuses } from '@mien/tensor/testing';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

const header = 'Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n';
const rows = [
  'Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0\n',
  'Training,,0,0,0,0,0,0,0,0,0,10\n',
  'PublicTest,fer0000001.png,0,2,0,0,0,0,0,6,2,0\n',
];

const faces: Faces = {
  dataset: 'fer2013',
  classes: ['Angry', 'Disgust', 'Fear', 'Happy', 'Sad', 'Surprise', 'Neutral'],
  images: new Uint8Array(0),
  labels: Uint8Array.of(0, 5, 3),
  splits: { Training: Int32Array.of(0, 1), PublicTest: Int32Array.of(2), PrivateTest: new Int32Array(0) },
};

test('softTargets are the votes for FER2013’s classes, and the label without such votes', () => {
  const joined = joinFerPlus(faces, parseFerPlus(header + rows.join('')));
  const targets = softTargets({ faces: joined, indices: Int32Array.of(0, 2, 1) });
  const expected = [0.3, 0.2, 0, 0, 0.1, 0, 0.4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0].map(Math.fround);
  assert.equal([...targets], expected);
});

test('withoutNotFaces drops the rows without an image name from their splits', () => {
  const joined = joinFerPlus(faces, parseFerPlus(header + rows.join('')));
  assert.equal([...(joined.notFaces ?? [])], [1]);
  const kept = withoutNotFaces(joined);
  assert.equal([...(kept.splits.Training ?? [])], [0]);
  assert.equal([...(kept.splits.PublicTest ?? [])], [2]);
  refuses(() => withoutNotFaces(faces), ValueError, 'add them with joinFerPlus');
  refuses(() => softTargets({ faces, indices: Int32Array.of(0) }), ValueError, 'add them with joinFerPlus');
});

test('joinFerPlus refuses other numbers of rows, other splits, other data sets and image files', () => {
  const votes = parseFerPlus(header + rows.join(''));
  const fewer = parseFerPlus(header + rows.slice(1).join(''));
  refuses(() => joinFerPlus(faces, fewer), ValueError, 'a row of FER+ for each of 3 images, got 2');
  const swapped = parseFerPlus(header + [rows[0], rows[2], rows[1]].join(''));
  refuses(() => joinFerPlus(faces, swapped), ValueError, 'got Training in FER2013 and PublicTest in FER+ (row 1)');
  refuses(
    () => joinFerPlus({ ...faces, dataset: 'ck+' }, votes),
    ValueError,
    'expected the rows of fer2013.csv, got ck+',
  );
  refuses(
    () => joinFerPlus({ ...faces, sources: ['a', 'b', 'c'] }, votes),
    ValueError,
    'image files, which have no rows',
  );
});

test('parseFerPlus names the line of a missing column, a short row and a bad vote', () => {
  refuses(() => parseFerPlus('a,b\n1,2\n', 'v.csv'), FormatError, 'v.csv, line 1: expected Usage,Image name');
  refuses(() => parseFerPlus(`${header}Training,x,1\n`, 'v.csv'), FormatError, 'line 2: expected 12 columns, got 3');
  const bad = (rows[0] as string).replace(',4,', ',-4,');
  refuses(
    () => parseFerPlus(header + bad, 'v.csv'),
    FormatError,
    'line 2: neutral must be a number of votes, got "-4"',
  );
});
