// Why public functions lack a law: reasons, each with its functions. `check` reports a function that has the law nevertheless.

const made = 'arange eye full linspace ones tensor zeros';
const random = 'bernoulli rand randn randperm randomBits';
const comparisons = 'eq ne lt le gt ge logicalAnd logicalOr logicalXor logicalNot';

export const reasons = {
  /** Functions without a case of their own. */
  law: {
    'a class whose functions have the laws': 'Generator Optimizer Tensor',
    'reports results to detectAnomaly, which has the laws': 'inspect',
    'a deprecated name of a function that has the laws': 'clipGradientNorm clipGradientValue',
  },
  /** Operations whose gradient no law checks. */
  gradient: {
    'returns booleans or integers, which have no derivative': `${comparisons} argmax argmin oneHot isnan isinf isfinite`,
    'makes a tensor of numbers, not of tensors': `${made} ${random}`,
    'converts between dtypes, of which only float32 carries gradients': 'to',
  },
  /** Operations whose second derivative no law checks, besides those without a first one. */
  second: {
    'the derivative is 0 everywhere': 'sign floor ceil round trunc',
  },
  /** Operations, optimizers and schedules that are not compared with PyTorch. */
  pytorch: {
    'defined by IEEE 754 or mathematics, without a convention to get wrong': `${comparisons} add sub mul div neg exp log sqrt rsqrt square sum mean sign`,
    'moves values: its reference is one line': `${made} oneHot cat stack where reshape transpose permute slice flip expand to`,
    'the random stream differs from PyTorch': `${random} dropout`,
    'PyTorch has no such function; its parts are compared': 'convBatchNorm2d softmaxCrossEntropy EMA',
    'a cosine by another period: `cosine` is compared, and the recurrence that PyTorch documents':
      'cosineAnnealingLR cosineAnnealingWarmRestarts',
    'compared inside the networks of test/golden': 'linear',
  },
};
