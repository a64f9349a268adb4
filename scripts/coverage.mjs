// Why a public function lacks a law. Each row names a reason and the functions that it holds for; a row for a function that
// has what the reason excuses is out of date, and `check` says so.

const made = 'arange eye full linspace ones tensor zeros';
const drawn = 'bernoulli rand randn randperm randomBits';
const truths = 'eq ne lt le gt ge logicalAnd logicalOr logicalXor logicalNot';

export const reasons = {
  /** Functions without a case of their own. */
  law: {
    'a class whose functions have the laws': 'Generator Optimizer Tensor',
    'reports results to detectAnomaly, which has the laws': 'inspect',
  },
  /** Operations whose gradient no law checks. */
  gradient: {
    'gives truth values or integers, which have no derivative': `${truths} argmax argmin oneHot`,
    'makes a tensor of numbers, not of tensors': `${made} ${drawn}`,
    'converts between dtypes, of which only float32 carries gradients': 'to',
  },
  /** Operations whose second derivative no law checks, besides those without a first one. */
  second: {
    'the derivative is 0 everywhere': 'sign',
  },
  /** Operations, optimizers and schedules that are not compared with PyTorch's own answers. */
  pytorch: {
    'an operation of IEEE 754 or a function of mathematics: there is no choice to misread': `${truths} add sub mul div neg exp log sqrt rsqrt square sum mean sign`,
    'moves values by its definition: its reference is one line': `${made} oneHot cat stack pad where reshape transpose permute slice flip expand to`,
    'the stream of random numbers is ours': `${drawn} dropout`,
    'PyTorch has no such function; its parts are compared': 'convBatchNorm2d softmaxCrossEntropy EMA',
    'a cosine by another period: `cosine` is compared, and the recurrence that PyTorch documents':
      'cosineAnnealingLR cosineAnnealingWarmRestarts',
    'compared inside of the networks of test/golden': 'linear',
  },
};
