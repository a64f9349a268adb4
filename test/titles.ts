// Parses the titles of cases. A title begins with the functions that it is about.

/** What a title claims: function names, and whether it tests their values, gradients or second derivatives. */
export interface Claim {
  readonly names: readonly string[];
  /** False for a title that is only about a derivative or a refusal. */
  readonly values: boolean;
  readonly gradient: boolean;
  readonly second: boolean;
  /** Whether it compares with PyTorch's results. */
  readonly pytorch: boolean;
}

/** The claim of a title. `names` may contain words that are not functions. */
export function claimOf(title: string): Claim {
  // Such a case calls a function with wrong arguments only.
  if (/ throws a MienError for arguments /.test(title))
    return { names: [], values: false, gradient: false, second: false, pytorch: false };
  const first = /^the (?:gradient|first derivative)s? of (.*)$/.exec(title)?.[1];
  const second = /^the second derivatives? of (.*)$/.exec(title)?.[1];
  const rest = first ?? second ?? title;
  const list = /^\w+(?:\([^)]*\))?(?:(?:, (?:and )?| and )\w+)*/.exec(rest)?.[0] ?? '';
  return {
    names: list.replace(/\([^)]*\)/g, '').split(/, and |, | and /),
    values: first === undefined && second === undefined && !/^ refuses? [^,;]*$/.test(rest.slice(list.length)),
    gradient: first !== undefined || /\bgradients?\b.*\bincluded\b/.test(title),
    second: second !== undefined,
    pytorch: /PyTorch's/.test(title),
  };
}
