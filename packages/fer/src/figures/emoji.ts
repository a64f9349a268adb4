// A drawn face per expression, from shapes only, so that no font or its license is needed.

interface Drawing {
  readonly skin: string;
  readonly brows?: string;
  readonly eyes: string;
  readonly mouth: string;
  /** Further shapes, as SVG. */
  readonly more?: string;
}

const YELLOW = '#ffd15c';
const LINE = '#4a3413';
const DARK = '#5b2b16';

const dots = (y = -6, rx = 5, ry = 7): string =>
  `<ellipse cx="-17" cy="${y}" rx="${rx}" ry="${ry}"/><ellipse cx="17" cy="${y}" rx="${rx}" ry="${ry}"/>`;
const wide = [-17, 17]
  .map((x) => `<circle cx="${x}" cy="-8" r="10.5" fill="#ffffff"/><circle cx="${x}" cy="-8" r="4.5"/>`)
  .join('');
const stroke = (path: string): string =>
  `<path d="${path}" fill="none" stroke="${LINE}" stroke-width="5" stroke-linecap="round" stroke-linejoin="round"/>`;
const open = (path: string): string => `<path d="${path}" fill="${DARK}"/>`;

/** Faces in a circle of radius 50 around 0. */
const DRAWINGS = {
  angry: {
    skin: '#f2725c',
    brows: 'M-29,-21L-9,-12M29,-21L9,-12',
    eyes: dots(-2, 5, 5.5),
    mouth: stroke('M-17,27Q0,13 17,27'),
  },
  disgust: {
    skin: '#b5cf62',
    brows: 'M-27,-19L-10,-14M27,-23Q17,-27 9,-19',
    eyes: stroke('M-25,-4L-12,-2M25,-4L12,-2'),
    mouth: stroke('M-19,27Q-9,16 0,22T19,20'),
    more: stroke('M-5,6L0,9L5,6'),
  },
  fear: {
    skin: '#b9c6ee',
    brows: 'M-28,-25Q-18,-34 -10,-31M28,-25Q18,-34 10,-31',
    eyes: wide,
    mouth: open('M-19,30Q-20,15 0,15Q20,15 19,30Q9,24 0,24Q-9,24 -19,30Z'),
  },
  happy: {
    skin: YELLOW,
    eyes: stroke('M-26,-5Q-17,-17 -9,-5M26,-5Q17,-17 9,-5'),
    mouth: `${open('M-27,9Q0,15 27,9Q24,35 0,35Q-24,35 -27,9Z')}<path d="M-23,11.5Q0,16 23,11.5L21,18Q0,22 -21,18Z" fill="#ffffff"/>`,
  },
  sad: {
    skin: '#8fbdf0',
    brows: 'M-28,-16Q-18,-20 -11,-27M28,-16Q18,-20 11,-27',
    eyes: dots(-4, 4.5, 5.5),
    mouth: stroke('M-15,28Q0,15 15,28'),
    more: '<path d="M-19,8Q-25,18 -19,21Q-13,18 -19,8Z" fill="#2f7fdb"/>',
  },
  surprise: {
    skin: YELLOW,
    brows: 'M-27,-27Q-18,-35 -9,-29M27,-27Q18,-35 9,-29',
    eyes: wide,
    mouth: '<ellipse cx="0" cy="23" rx="10" ry="13" fill="#5b2b16"/>',
  },
  neutral: { skin: YELLOW, eyes: dots(), mouth: stroke('M-17,20L17,20') },
  contempt: {
    skin: '#e8c08a',
    brows: 'M-27,-17L-9,-17M27,-24Q18,-29 9,-22',
    eyes: stroke('M-25,-4L-11,-4M25,-4L11,-4'),
    mouth: stroke('M-15,22Q5,24 18,13'),
  },
} as const satisfies Record<string, Drawing>;

/** Names of the same expressions in other data sets. */
const ALIASES: Readonly<Record<string, keyof typeof DRAWINGS>> = {
  anger: 'angry',
  happiness: 'happy',
  sadness: 'sad',
  surprised: 'surprise',
};

/** The drawn face of a class, `size` wide and centered at (x, y); empty for a class without one. */
export function emoji(name: string, x: number, y: number, size: number): string {
  const key = name.toLowerCase();
  const drawing: Drawing | undefined = DRAWINGS[(ALIASES[key] ?? key) as keyof typeof DRAWINGS];
  if (!drawing) return '';
  const { skin, brows, eyes, mouth, more = '' } = drawing;
  return [
    `<g transform="translate(${x} ${y}) scale(${size / 100})" fill="${LINE}">`,
    `<circle r="50" fill="${skin}"/>`,
    brows ? stroke(brows) : '',
    eyes,
    mouth,
    more,
    '</g>',
  ].join('');
}
