// What a case's title says that it shows: a title begins with the functions that it is about.

/** What a title claims: names in its order, and whether of their values, gradients or second derivatives. */
export interface Claim {
  readonly names: readonly string[];
  /** Of the values: a title that is not of a derivative alone. */
  readonly values: boolean;
  readonly gradient: boolean;
  readonly second: boolean;
  /** Whether it compares with PyTorch's own answers. */
  readonly pytorch: boolean;
}

/** The claim of a title. Words that name no function do no harm: callers look up names. */
export function claimOf(title: string): Claim {
  // Such a case calls a function with wrong arguments only, and shows nothing of what it computes.
  if (/ answers values of other kinds /.test(title))
    return { names: [], values: false, gradient: false, second: false, pytorch: false };
  const first = /^the (?:gradient|first derivative)s? of (.*)$/.exec(title)?.[1];
  const second = /^the second derivatives? of (.*)$/.exec(title)?.[1];
  const rest = first ?? second ?? title;
  const list = /^\w+(?:\([^)]*\))?(?:(?:, (?:and )?| and )\w+)*/.exec(rest)?.[0] ?? '';
  return {
    names: list.replace(/\([^)]*\)/g, '').split(/, and |, | and /),
    values: first === undefined && second === undefined,
    gradient: first !== undefined || /\bgradients?\b.*\bincluded\b/.test(title),
    second: second !== undefined,
    pytorch: /PyTorch's/.test(title),
  };
}
