"""Golden values from PyTorch's CPU build: a second author's answers to the questions our kernels and references answer.

Run `apt-get install -y python3-torch`, then `/usr/bin/python3 test/golden/make.py [NAME...]`.
It rewrites test/golden/*.golden.json, or NAME.golden.json only, the same bytes each time. Names that are given to `noise` are seeds:
renaming one changes the file.
Everything is computed in float64 from float32 inputs, and written as the shortest decimals of the nearest float32.

Inputs and weights come from one formula, so that large ones need not be stored; golden.ts repeats it:
  noise(name, i) = (2 k + 1) / 2^24 - 1, in (-1, 1), where k is the upper 24 bits of mix(fnv1a(name) + 0x9e3779b9 i mod 2^32);
  fnv1a is FNV-1a of the name's bytes, mix is MurmurHash3's 32-bit finalizer.
"""
import json
import math
import pathlib
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.use_deterministic_algorithms(True)
HERE = pathlib.Path(__file__).parent


def noise(name, shape):
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    h = (seed + 0x9E3779B9 * np.arange(math.prod(shape), dtype=np.uint64)) & 0xFFFFFFFF
    h = ((h ^ (h >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    h = h ^ (h >> 16)
    return ((2.0 * (h >> 8).astype(np.float64) + 1) / 2**24 - 1).reshape(shape)


def eighths(name, *shape):
    """Multiples of 1/8 from -2 to 15/8, so that ties happen and the decimals are short."""
    return torch.from_numpy(np.asarray(np.floor(noise(name, shape) * 16) / 8))


def plain(value):
    """What JSON takes: tensors as { shape, data } (int32 named), numbers as the nearest float32's shortest decimals."""
    if isinstance(value, torch.Tensor):
        dtype = {} if value.is_floating_point() else {"dtype": "int32"}
        return {**dtype, "shape": list(value.shape), "data": [plain(v) for v in value.detach().flatten().tolist()]}
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, float):
        return int(value) if value == int(value) else float(str(np.float32(value)))
    return value


def write(name, cases):
    lines = ",\n".join(json.dumps(plain(case), separators=(",", ":"), ensure_ascii=False) for case in cases)
    path = HERE / f"{name}.golden.json"
    path.write_text(f'{{"torch":"{torch.__version__}","cases":[\n{lines}\n]}}\n')
    print(f"{path.name}: {len(cases)} cases, {path.stat().st_size} bytes")


def case(name, op, fn, inputs, options=None, wrt=None, after=None):
    """One application of `fn`: output, and for an output gradient `dy` the gradients of the inputs named in `wrt`."""
    wrt = [key for key, x in inputs.items() if x.is_floating_point()] if wrt is None else wrt
    before = {key: x.clone() for key, x in inputs.items()}
    for key in wrt:
        inputs[key].requires_grad_()
    y = fn(*inputs.values())
    row = {"name": name, "op": op, "options": options or {}, "inputs": before, "y": y}
    if wrt:
        row["dy"] = dy = eighths(f"{name} dy", *y.shape)
        row["gradients"] = dict(zip(wrt, torch.autograd.grad(y, [inputs[key] for key in wrt], dy)))
    if after:
        row["after"] = after()
    return row


# Pools.
def pools():
    rows = []

    def add(name, op, fn, shape, **options):
        x = eighths(name, *shape)
        rows.append(case(name, op, lambda x: fn(x), {"x": torch.round(x * 2) / 2 if "ties" in name else x}, options))

    def maximum(name, shape, k, s=None, p=0, d=1, ceil=False):
        options = dict(kernelSize=k, stride=s or k, padding=p, dilation=d, ceilMode=ceil)
        add(name, "maxPool2d", lambda x: F.max_pool2d(x, k, s, p, d, ceil), shape, **options)

    maximum("halving, with ties", (1, 2, 4, 6), 2)
    maximum("an odd size loses its last row, with ties", (1, 1, 5, 7), 2)
    maximum("overlapping windows with padding and ties", (1, 2, 5, 5), 3, 2, 1)
    maximum("rounding up, with ties", (1, 1, 6, 6), 3, 2, 0, 1, True)
    maximum("rounding up with padding: the last window must start inside", (1, 1, 5, 5), 2, 2, 1, 1, True)
    maximum("dilated, with padding and ties", (1, 1, 7, 6), [3, 2], [2, 1], [1, 1], [2, 3])
    row = case("every value equal, and negative: the first wins, never the padding", "maxPool2d", lambda x: F.max_pool2d(x, 3, 2, 1),
               {"x": torch.full((1, 1, 4, 4), -1.0)}, dict(kernelSize=3, stride=2, padding=1, dilation=1, ceilMode=False))
    rows.append(row)

    def average(name, shape, k, s=None, p=0, ceil=False, include=True):
        options = dict(kernelSize=k, stride=s or k, padding=p, ceilMode=ceil, countIncludePad=include)
        add(name, "avgPool2d", lambda x: F.avg_pool2d(x, k, s, p, ceil, include), shape, **options)

    average("plain", (2, 1, 4, 6), 2)
    average("padding counted", (1, 1, 5, 5), 3, 2, 1)
    average("padding not counted", (1, 1, 5, 5), 3, 2, 1, False, False)
    average("rounding up, padding counted: what is beyond it is not", (1, 1, 6, 5), 3, 2, 1, True)
    average("rounding up, padding not counted", (1, 1, 6, 5), [3, 2], [2, 2], [1, 1], True, False)
    for size in (1, 3, [2, 5]):
        add(f"7x6 to {size}", "adaptiveAvgPool2d", lambda x: F.adaptive_avg_pool2d(x, size), (1, 2, 7, 6), size=size)
    return rows


# Batch normalization.
def norms():
    rows = []

    def add(name, shape, training, momentum=0.1, eps=1e-5, affine=True):
        c = shape[1]
        inputs = {"x": eighths(name, *shape)}
        if affine:
            inputs |= {"weight": eighths(f"{name} weight", c), "bias": eighths(f"{name} bias", c)}
        running = {"runningMean": eighths(f"{name} mean", c), "runningVar": eighths(f"{name} var", c).abs() + 0.25}
        before = {key: value.clone() for key, value in running.items()}
        mean, var = running.values()
        run = lambda x, weight=None, bias=None: F.batch_norm(x, mean, var, weight, bias, training, momentum, eps)
        row = case(name, "batchNorm", run, inputs, dict(training=training, momentum=momentum, eps=eps), after=lambda: running)
        row["before"] = before
        rows.append(row)

    add("training keeps the unbiased variance", (2, 3, 2, 2), True)
    add("training with momentum 0.3 and a large eps", (3, 2, 3, 1), True, 0.3, 0.1)
    add("training rows of features", (4, 3), True)
    add("training without weight and bias", (2, 2, 1, 3), True, affine=False)
    add("inference", (2, 3, 2, 2), False)
    add("inference of rows", (3, 2), False)
    return rows


# Normalization over the last dimensions.
def layer_norms():
    rows = []
    for name, shape, dims, eps, affine in [("rows", (3, 5), 1, 1e-5, True), ("two dimensions", (2, 3, 2, 2), 2, 1e-5, True),
                                           ("all dimensions", (2, 3), 2, 1e-5, True), ("without weight and bias", (2, 3, 4), 1, 0.1, False)]:
        normalized = list(shape[-dims:])
        inputs = {"x": eighths(f"layer {name}", *shape)}
        if affine:
            inputs["weight"] = eighths(f"layer {name} weight", *normalized)
        options = dict(normalizedShape=normalized, eps=eps)
        # F.rms_norm is newer than this PyTorch: its formula.
        over = tuple(range(-dims, 0))
        rms = lambda x, weight=None: x * torch.rsqrt(x.square().mean(over, keepdim=True) + eps) * (1 if weight is None else weight)
        rows.append(case(f"{name}, by its formula", "rmsNorm", rms, {key: value.clone() for key, value in inputs.items()}, options))
        if affine:
            inputs["bias"] = eighths(f"layer {name} bias", *normalized)
        rows.append(case(name, "layerNorm", lambda x, weight=None, bias=None: F.layer_norm(x, normalized, weight, bias, eps), inputs, options))
    return rows


# Convolutions and matrix products.
def convolutions():
    rows = []

    def add(name, op, x, weight, bias, stride=1, padding=0, dilation=1, groups=1, outputPadding=None):
        inputs = {"x": eighths(f"{name} x", *x), "weight": eighths(f"{name} weight", *weight)}
        if bias:
            inputs["bias"] = eighths(f"{name} bias", bias)
        options = dict(stride=stride, padding=padding, dilation=dilation, groups=groups)
        if op == "conv2d":
            fn = lambda x, weight, bias=None: F.conv2d(x, weight, bias, stride, padding, dilation, groups)
        else:
            options["outputPadding"] = outputPadding or 0
            fn = lambda x, weight, bias=None: F.conv_transpose2d(x, weight, bias, stride, padding, outputPadding or 0, groups, dilation)
        rows.append(case(name, op, fn, inputs, options))

    add("3x3 with padding", "conv2d", (1, 2, 4, 5), (3, 2, 3, 3), 3, padding=1)
    add("stride that leaves a rest", "conv2d", (2, 1, 6, 5), (2, 1, 3, 2), None, stride=[2, 3])
    add("asymmetric stride, padding and dilation", "conv2d", (1, 2, 6, 7), (2, 2, 2, 3), 2, [2, 1], [1, 2], [3, 2])
    add("groups", "conv2d", (1, 4, 4, 4), (6, 2, 3, 3), 6, 1, 1, 1, 2)
    add("depthwise with stride", "conv2d", (1, 3, 5, 5), (3, 1, 3, 3), None, 2, 1, 1, 3)
    add("1x1", "conv2d", (2, 3, 2, 3), (4, 3, 1, 1), 4)
    add("transposed, stride 2", "convTranspose2d", (1, 2, 3, 3), (2, 3, 3, 3), 3, 2, 1)
    add("transposed, output padding", "convTranspose2d", (1, 2, 3, 2), (2, 2, 3, 3), 2, 2, 1, 1, 1, 1)
    add("transposed, all options and groups", "convTranspose2d", (1, 4, 2, 3), (4, 2, 2, 3), 4, [3, 2], [1, 2], [2, 1], 2, [2, 1])
    for a, b in [((2, 3), (3, 4)), ((2, 2, 3), (3, 2)), ((2, 1, 2, 3), (3, 3, 2)), ((3,), (3, 2)), ((2, 3), (3,)), ((3,), (3,))]:
        inputs = {"a": eighths(f"a {a}", *a), "b": eighths(f"b {b}", *b)}
        rows.append(case(f"{list(a)} by {list(b)}", "matmul", lambda a, b: a @ b, inputs))
    return rows


# Reductions, activations, softmax, indexing.
def elements():
    rows = []
    x = eighths("reduce", 2, 3, 4)
    for op, statistic in [("variance", torch.var), ("std", torch.std)]:
        for dims, correction in [([1], 1), ([0, 2], 0), ([2], 3), ([0, 1, 2], 1)]:
            fn = lambda x: statistic(x, dim=dims, correction=correction)
            rows.append(case(f"over {dims}, correction {correction}", op, fn, {"x": x.clone()}, dict(dims=dims, correction=correction)))
    equal = torch.tensor([[0.5, 0.5, 0.5], [1.0, 2.0, 4.0]])
    rows.append(case("of equal values", "std", lambda x: torch.std(x, dim=[1], correction=1), {"x": equal}, dict(dims=[1], correction=1)))
    tied = torch.tensor([[1.0, 3.0, 3.0, 2.0], [0.0, 0.0, 0.0, 0.0], [-1.0, -2.0, -1.0, -2.0]])
    for op, fn in [("max", torch.amax), ("min", torch.amin)]:
        for dims in ([0], [1], [0, 1]):
            rows.append(case(f"ties share over {dims}", op, lambda x: fn(x, dims), {"x": tied.clone()}, dict(dims=dims)))
    for op, fn in [("argmax", torch.argmax), ("argmin", torch.argmin)]:
        for dim in (0, 1, None):
            # PyTorch promises no particular one of several; its CPU build gives the first, as we promise.
            rows.append(case(f"the first of ties along {dim}", op, lambda x: fn(x, dim), {"x": tied.clone()}, dict(dim=dim), wrt=[]))
    wide = torch.tensor([-9, -4, -2.5, -1, -0.5, -0.0625, 0, 0.0625, 0.5, 1, 2.5, 4, 9])
    smooth = {
        "gelu": F.gelu, "geluTanh": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
        "leakyRelu": lambda x: F.leaky_relu(x, 0.125), "relu": F.relu, "clamp": lambda x: torch.clamp(x, -1, 2.5), "abs": torch.abs,
    }
    for op, fn in smooth.items():
        rows.append(case("from -9 to 9", op, fn, {"x": wide.clone()}))
    for op, fn in [("maximum", torch.maximum), ("minimum", torch.minimum)]:
        rows.append(case("ties share", op, fn, {"a": torch.tensor([1.0, 2.0, 3.0]), "b": torch.tensor([2.0, 2.0, 1.0])}))
    rows.append(case("of positive bases", "pow", torch.pow, {"a": x.abs()[0] + 0.5, "b": x[1]}))
    for op, fn in [("softmax", F.softmax), ("logSoftmax", F.log_softmax)]:
        for dim in (0, 1, 2):
            rows.append(case(f"along {dim}", op, lambda x: fn(x, dim), {"x": 3 * x}, dict(dim=dim)))
        rows.append(case(
            "of large values", op, lambda x: fn(x, 1), {"x": torch.tensor([[1000.0, 1001.0, 999.0], [-1e4, 0.0, -2.0]])}, dict(dim=1)))
    index = torch.tensor([[[0, 2, 1, 1]], [[2, 2, 0, 1]]])
    rows.append(case("along 1", "gather", lambda x, index: torch.gather(x, 1, index), {"x": x.clone(), "index": index}, dict(dim=1)))
    index = torch.tensor([[[0, 3], [3, 3], [1, 0]], [[1, 1], [2, 0], [2, 2]]])
    rows.append(case("repeated, fewer and along 2", "gather", lambda x, index: torch.gather(x, 2, index),
                     {"x": x.clone(), "index": index}, dict(dim=2)))
    inputs = {"index": torch.tensor([[1, 3, 1], [0, 1, 3]]), "weight": eighths("embedding", 4, 3)}
    rows.append(case("repeated rows add up", "embedding", F.embedding, inputs))
    return rows


# Functions and remainders, element by element.
def functions():
    rows = []
    wide = torch.tensor([-9, -4, -2.5, -1.75, -0.5, -0.0625, 0, 0.0625, 0.5, 1.25, 2.5, 4, 9])
    every = {
        "floor": torch.floor, "ceil": torch.ceil, "round": torch.round, "trunc": torch.trunc, "frac": torch.frac, "erf": torch.erf,
        "erfc": torch.erfc, "sin": torch.sin, "cos": torch.cos, "tan": torch.tan, "atan": torch.atan, "exp2": torch.exp2,
        "expm1": torch.expm1, "sinh": torch.sinh, "cosh": torch.cosh, "asinh": torch.asinh, "nanToNum": torch.nan_to_num,
    }
    for op, fn in every.items():
        rows.append(case("from -9 to 9", op, fn, {"x": wide.clone()}))
    inside = torch.tensor([-0.9375, -0.5, -0.0625, 0, 0.25, 0.5, 0.9375])
    for op, fn in {"asin": torch.asin, "acos": torch.acos, "erfinv": torch.erfinv, "atanh": torch.atanh}.items():
        rows.append(case("inside of -1 and 1", op, fn, {"x": inside.clone()}))
    positive = torch.tensor([0.0625, 0.5, 1.25, 2, 10, 1000, 1e6])
    for op, fn in {"log2": torch.log2, "log10": torch.log10, "log1p": torch.log1p, "reciprocal": torch.reciprocal}.items():
        rows.append(case("above 0", op, fn, {"x": positive.clone()}))
    rows.append(case("above 1", "acosh", torch.acosh, {"x": positive[2:].clone()}))
    integers = torch.tensor([-3, 0, 7], dtype=torch.int32)
    for op in ("floor", "ceil", "round", "trunc"):
        rows.append(case("of integers", op, every[op], {"x": integers}))
    for op, fn in {"isnan": torch.isnan, "isinf": torch.isinf, "isfinite": torch.isfinite}.items():
        rows.append(case("of finite numbers", op, lambda x: fn(x).int(), {"x": wide.clone()}, wrt=[]))
    a, b = eighths("functions a", 3, 4), eighths("functions b", 3, 4) + 1 / 16
    for op, fn in {"atan2": torch.atan2, "remainder": torch.remainder, "fmod": torch.fmod}.items():
        rows.append(case("of fractions", op, fn, {"a": a.clone(), "b": b.clone()}))
    signs = {"a": torch.tensor([7, -7, 7, -7, 6, 0], dtype=torch.int32), "b": torch.tensor([3, 3, -3, -3, -3, 5], dtype=torch.int32)}
    for op, fn in {"remainder": torch.remainder, "fmod": torch.fmod}.items():
        rows.append(case("of integers of all signs", op, fn, signs))
    powers = {"a": torch.tensor([3, -3, 2, 1, -1, -1, 2, 0], dtype=torch.int32),
              "b": torch.tensor([4, 5, 31, -2, -3, -4, -1, 0], dtype=torch.int32)}
    rows.append(case("of integers", "pow", torch.pow, powers))
    weight = torch.tensor([0.25, 0.75, 1.0, -0.5])
    rows.append(case("by a tensor", "lerp", torch.lerp, {"a": a.clone(), "b": b.clone(), "weight": weight}))
    rows.append(case("with a factor", "addcmul", lambda a, b, weight: torch.addcmul(a, b, weight, value=0.5),
                     {"a": a.clone(), "b": b.clone(), "weight": weight.clone()}))
    return rows


# Attention. Masks are options, as integers.
def attentions():
    rows = []
    taken = torch.tensor([[1, 0, 1, 1], [1, 1, 0, 0], [0, 1, 1, 0]])
    for name, mask, causal, lead in [("plain", None, False, ()), ("with a bool mask", taken.bool(), False, (2,)), ("causal", None, True, (2,)),
                                     ("with an added mask", eighths("attention mask", 3, 4), False, (2, 2))]:
        # PyTorch's function of this name takes isCausal from 2.0 on; 1.13 has its formula under a private one.
        order = torch.ones(3, 4).tril().bool() if causal else mask
        fn = lambda query, key, value: F._scaled_dot_product_attention(query, key, value, order)[0]
        inputs = {"query": eighths(f"query {name}", *lead, 3, 5), "key": eighths(f"key {name}", *lead, 4, 5), "value": eighths(f"value {name}", *lead, 4, 2)}
        options = dict(isCausal=causal) if causal else dict(attnMask=mask.int() if mask is not None and mask.dtype == torch.bool else mask)
        rows.append(case(name, "scaledDotProductAttention", fn, inputs, options))

    def heads(name, count, shape, keys, bias=True, batch_first=False, attn=None, padding=None, averages=True):
        size = shape[-1]
        l, batched = (1, True) if batch_first else (0, len(shape) == 3)
        other = [keys if i == l else s for i, s in enumerate(shape)]
        inputs = {key: eighths(f"{name} {key}", *s) for key, s in [("query", shape), ("key", other), ("value", other)]}
        inputs |= {"inWeight": eighths(f"{name} in", 3 * size, size) / 4, "outWeight": eighths(f"{name} out", size, size) / 4}
        if bias:
            inputs |= {"inBias": eighths(f"{name} in bias", 3 * size), "outBias": eighths(f"{name} out bias", size)}
        layer = nn.MultiheadAttention(size, count, bias=bias, batch_first=batch_first)

        def attend(query, key, value, inWeight, outWeight, inBias=None, outBias=None):
            values = {"in_proj_weight": inWeight, "out_proj.weight": outWeight} | ({"in_proj_bias": inBias, "out_proj.bias": outBias} if bias else {})
            return torch.nn.utils.stateless.functional_call(
                layer, values, (query, key, value), dict(attn_mask=attn, key_padding_mask=padding, average_attn_weights=averages))

        whole = lambda mask: mask.int() if mask is not None and mask.dtype == torch.bool else mask
        options = dict(numHeads=count, bias=bias, batchFirst=batch_first, attnMask=whole(attn), keyPaddingMask=whole(padding), averageAttnWeights=averages)
        copies = {key: value.clone() for key, value in inputs.items()}
        rows.append(case(name, "multiheadAttention", lambda *given: attend(*given)[0], inputs, options))
        rows.append(case(name, "attentionWeights", lambda *given: attend(*given)[1], copies, options, wrt=[]))

    heads("self-sized", 2, (3, 2, 4), 3)
    heads("other keys, batch first", 2, (2, 3, 4), 5, batch_first=True)
    heads("without a batch or bias, weights by head", 3, (4, 6), 2, bias=False, averages=False)
    excluded = torch.tensor([[0, 1, 0], [0, 0, 1], [1, 0, 0]]).bool()
    heads("with a bool mask", 2, (3, 2, 4), 3, attn=excluded)
    heads("with a mask of keys", 2, (3, 2, 4), 3, padding=torch.tensor([[0, 0, 1], [1, 0, 0]]).bool(), batch_first=False)
    heads("with both masks", 1, (3, 2, 4), 3, attn=excluded, padding=torch.tensor([[0, 0, 0], [0, 0, 0]]).bool())
    heads("with an added mask by head", 2, (2, 3, 4), 3, batch_first=True, attn=eighths("mask by head", 4, 3, 3))
    return rows


# Views, parts, repetitions, triangles and indexing.
def shapes():
    rows = []
    x = eighths("shape", 2, 3, 4)

    def add(op, name, fn, inputs=None, **options):
        rows.append(case(name, op, fn, inputs or {"x": x.clone()}, options))

    one = eighths("ones", 1, 3, 1)
    add("squeeze", "of all", torch.squeeze, {"x": one.clone()})
    add("squeeze", "of the last", lambda x: x.squeeze(-1), {"x": one.clone()}, dims=-1)
    add("squeeze", "of a size above 1", lambda x: x.squeeze(1), {"x": one.clone()}, dims=1)
    for dim in (0, -1, -2):
        add("unsqueeze", f"at {dim}", lambda x: x.unsqueeze(dim), dim=dim)
    add("flatten", "of all", lambda x: x.flatten(), startDim=0, endDim=-1)
    add("flatten", "from 1", lambda x: x.flatten(1), startDim=1, endDim=-1)
    add("flatten", "to -2", lambda x: x.flatten(0, -2), startDim=0, endDim=-2)
    add("unflatten", "with -1", lambda x: x.unflatten(-1, (2, -1)), dim=-1, sizes=[2, -1])
    for counts in ([2, 1, 3], [2, 1, 1, 2]):
        add("repeat", f"by {counts}", lambda x: x.repeat(*counts), counts=counts)
    for counts in ([2], [1, 2, 1], [2, 1, 1, 2]):
        add("tile", f"by {counts}", lambda x: x.tile(counts), counts=counts)
    for shifts, dims in ((5, None), (-1, 1), ([1, -6], [2, 0]), ([1, 1], [1, 1])):
        add("roll", f"by {shifts} along {dims}", lambda x: torch.roll(x, shifts, dims), shifts=shifts, dims=dims)
    for op, fn in (("tril", torch.tril), ("triu", torch.triu)):
        for diagonal in (0, -1, 2):
            add(op, f"from {diagonal}", lambda x: fn(x, diagonal), diagonal=diagonal)
    for indexing in ("ij", "xy"):
        axes = {"a": eighths("axis a", 2), "b": eighths("axis b", 3)}
        add("meshgrid", indexing, lambda a, b: torch.cat(torch.meshgrid(a, b, indexing=indexing), 1), axes, indexing=indexing)
    add("split", "in 2 of at most 2", lambda x: x.split(2, 1)[1], sizes=2, dim=1)
    add("split", "in 1 and 3", lambda x: x.split([1, 3], -1)[1], sizes=[1, 3], dim=-1)
    add("chunk", "in 3 of 4, which gives 2", lambda x: x.chunk(3, 2)[1], count=3, dim=2)

    index, places = torch.tensor([2, 0, 2, 1]), torch.tensor([[[0, 2, 1, 1], [1, 2, 2, 0]], [[2, 2, 0, 1], [2, 0, 0, 1]]])
    src = eighths("source", 2, 2, 4)
    add("indexSelect", "repeated", lambda x, index: x.index_select(1, index), {"x": x.clone(), "index": index}, dim=1)
    add("indexSelect", "of the last dimension", lambda x, index: x.index_select(2, index), {"x": x.clone(), "index": index}, dim=2)
    inputs = {"x": x.clone(), "index": index, "src": eighths("slices", 2, 4, 4)}
    add("indexAdd", "repeated", lambda x, index, src: x.index_add(1, index, src), inputs, dim=1)
    inputs = {"x": x.clone(), "index": places, "src": src.clone()}
    add("scatterAdd", "repeated", lambda x, index, src: x.scatter_add(1, index, src), inputs, dim=1)
    # PyTorch's result is undefined for equal indices.
    inputs = {"x": x.clone(), "index": torch.tensor([[[0, 2], [1, 3], [3, 0]], [[2, 1], [3, 2], [0, 3]]]), "src": eighths("values", 2, 3, 2)}
    add("scatter", "distinct", lambda x, index, src: x.scatter(2, index, src), inputs, dim=2)

    rows_, columns = torch.tensor([1, 0, -1]), torch.tensor([[2], [-4]])
    null, dots = None, ...
    for name, index in {
        "of a position and a new dimension": (1, null, dots, -1), "of ranges": (slice(null), slice(1, 3), slice(-3, null, 2)),
        "of neighbors": (slice(null), rows_, columns), "of tensors apart": (rows_, slice(null), columns),
        "of tensors around a position": (rows_, 0, columns), "of a tensor after a position": (0, slice(null), columns),
        "of tensors around a new dimension": (slice(null), rows_, null, columns), "of a tensor before dots": (columns.clamp(-2, 1), dots, 0),
    }.items():
        add("at", name, lambda x: x[index], indices=[[each.start, each.stop, each.step] if isinstance(each, slice)
            else "..." if each is dots else each for each in index])

    image = eighths("image", 1, 2, 4, 3)
    for mode in ("reflect", "replicate", "circular"):
        for counts in ([1, 2], [2, 0]), ([2, 1], [0, 2]):
            height, width = counts
            add("pad", f"by {counts} in {mode} mode", lambda x: F.pad(x, [*width, *height], mode), {"x": image.clone()},
                counts=[[0, 0], [0, 0], height, width], mode=mode)
    return rows


# Losses.
def losses():
    rows = []
    logits, hard = eighths("logits", 4, 5), torch.tensor([1, 0, 4, 1])
    soft = F.softmax(eighths("soft", 4, 5), 1).float().double()
    maps, labels = eighths("maps", 2, 3, 2), torch.tensor([[0, 2], [1, 1]])
    weights = torch.tensor([0.5, 2.0, 1.0, 0.25, 3.0])
    for kind, x, target, w in [("hard", logits, hard, weights), ("soft", logits, soft, weights), ("maps", maps, labels, weights[:3])]:
        for smoothing in (0, 0.125):
            for weighted in (False, True):
                for reduction in ("mean", "sum", "none"):
                    name = f"{kind} targets, smoothing {smoothing}, {'class weights' if weighted else 'no weights'}, {reduction}"
                    if reduction == "sum" and (kind == "maps" or not weighted):
                        continue
                    inputs = {"x": x.clone(), "target": target.clone()} | ({"weight": w.clone()} if weighted else {})
                    fn = lambda x, target, weight=None: F.cross_entropy(x, target, weight, reduction=reduction, label_smoothing=smoothing)
                    rows.append(case(name, "crossEntropy", fn, inputs, dict(labelSmoothing=smoothing, reduction=reduction), wrt=["x"]))
    log = F.log_softmax(logits, 1).float().double()
    for reduction in ("mean", "sum", "none"):
        inputs = {"x": log.clone(), "target": hard.clone(), "weight": weights.clone()}
        fn = lambda x, target, weight: F.nll_loss(x, target, weight, reduction=reduction)
        rows.append(case(f"class weights, {reduction}", "nllLoss", fn, inputs, dict(reduction=reduction), wrt=["x"]))
        inputs = {"x": logits.clone(), "target": soft.clone()}
        rows.append(case(reduction, "mseLoss", lambda x, target: F.mse_loss(x, target, reduction=reduction), inputs,
                          dict(reduction=reduction)))
    inputs = {"x": torch.tensor([[-40.0, -3.0, 0.0], [0.5, 3.0, 40.0]]), "target": torch.tensor([[0.0, 1.0, 0.25], [1.0, 0.5, 1.0]])}
    extra = {"weight": torch.tensor([1.0, 0.5, 2.0]), "posWeight": torch.tensor([3.0, 1.0, 0.5])}
    for reduction in ("mean", "none"):
        for more in ({}, extra):
            fn = lambda x, target, weight=None, posWeight=None: F.binary_cross_entropy_with_logits(
                x, target, weight, reduction=reduction, pos_weight=posWeight)
            given = {key: value.clone() for key, value in (inputs | more).items()}
            name = f"{'weighted' if more else 'plain'}, {reduction}"
            rows.append(case(name, "binaryCrossEntropyWithLogits", fn, given, dict(reduction=reduction), wrt=["x"]))
    ignored = {"hard": (logits, torch.tensor([1, 3, 4, 3])), "maps": (maps, torch.tensor([[0, 3], [1, 3]]))}
    for kind, (x, target) in ignored.items():
        for reduction in ("mean", "sum", "none"):
            w = weights[:x.shape[1]]
            options = dict(ignoreIndex=3, reduction=reduction)
            for op, loss in [("crossEntropy", F.cross_entropy), ("nllLoss", F.nll_loss)]:
                inputs = {"x": x.clone(), "target": target.clone(), "weight": w.clone()}
                fn = lambda x, target, weight: loss(x, target, weight, ignore_index=3, reduction=reduction)
                rows.append(case(f"{kind} targets, one ignored, {reduction}", op, fn, inputs, options, wrt=["x"]))
    values, near = eighths("loss x", 3, 4), eighths("loss target", 3, 4) + 0.0625
    for reduction in ("mean", "sum", "none"):
        elements = [("l1Loss", "", F.l1_loss, {}), ("smoothL1Loss", "beta 1, ", F.smooth_l1_loss, {}), ("smoothL1Loss", "beta 0.5, ", F.smooth_l1_loss, dict(beta=0.5)),
                    ("smoothL1Loss", "beta 0, ", F.smooth_l1_loss, dict(beta=0)), ("huberLoss", "delta 1.5, ", F.huber_loss, dict(delta=1.5))]
        for op, name, loss, options in elements:
            fn = lambda x, target: loss(x, target, reduction=reduction, **options)
            rows.append(case(f"{name}{reduction}", op, fn, {"x": values.clone(), "target": near.clone()}, dict(reduction=reduction, **options)))
    for reduction in ("mean", "batchmean", "sum", "none"):
        for log_target in (False, True):
            target = F.log_softmax(eighths("soft", 4, 5), 1).float().double() if log_target else soft
            fn = lambda x, target: F.kl_div(x, target, reduction=reduction, log_target=log_target)
            rows.append(case(f"{'log targets' if log_target else 'targets'}, {reduction}", "klDiv", fn, {"x": log.clone(), "target": target.clone()},
                             dict(reduction=reduction, logTarget=log_target)))
    zero = torch.tensor([[0.0, 1.0], [0.5, 0.5]])
    rows.append(case("a target of 0", "klDiv", lambda x, target: F.kl_div(x, target, reduction="sum"), {"x": log[:2, :2].clone(), "target": zero},
                     dict(reduction="sum"), wrt=["x"]))
    return rows


# Optimizers: five steps with given gradients; every value after every step.
def optimizers():
    rows = []

    def add(name, op, make, **options):
        w, b = nn.Parameter(eighths("optimizer w", 2, 3)), nn.Parameter(eighths("optimizer b", 3))
        optimizer, row = make([w, b]), {"name": name, "op": op, "options": options, "w": w.clone(), "b": b.clone(), "steps": []}
        for step in range(5):
            w.grad, b.grad = eighths(f"gradient w {step}", 2, 3), eighths(f"gradient b {step}", 3)
            optimizer.step()
            row["steps"].append({"dw": w.grad, "db": b.grad, "w": w.clone(), "b": b.clone()})
        rows.append(row)

    sgd, adam, adamw = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
    add("plain", "SGD", lambda p: sgd(p, lr=0.125), lr=0.125)
    add("momentum", "SGD", lambda p: sgd(p, lr=0.1, momentum=0.9), lr=0.1, momentum=0.9)
    add("momentum and decay", "SGD", lambda p: sgd(p, lr=0.1, momentum=0.9, weight_decay=0.05), lr=0.1, momentum=0.9, weightDecay=0.05)
    add("Nesterov and decay", "SGD", lambda p: sgd(p, lr=0.1, momentum=0.9, weight_decay=0.05, nesterov=True),
        lr=0.1, momentum=0.9, weightDecay=0.05, nesterov=True)
    add("defaults", "Adam", lambda p: adam(p))
    add("decay in the gradient", "Adam", lambda p: adam(p, lr=0.05, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1),
        lr=0.05, betas=[0.8, 0.9], eps=1e-3, weightDecay=0.1)
    add("defaults", "AdamW", lambda p: adamw(p))
    add("decoupled decay", "AdamW", lambda p: adamw(p, lr=0.05, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1),
        lr=0.05, betas=[0.8, 0.9], eps=1e-3, weightDecay=0.1)
    for maximum in (1.0, 100.0):
        w, b = nn.Parameter(torch.zeros(2, 3)), nn.Parameter(torch.zeros(3))
        w.grad, b.grad = eighths("clip w", 2, 3), eighths("clip b", 3)
        row = {"name": f"to {maximum}", "op": "clipGradNorm", "options": {"maximum": maximum},
               "dw": w.grad.clone(), "db": b.grad.clone()}
        rows.append(row | {"norm": float(nn.utils.clip_grad_norm_([w, b], maximum)), "clippedW": w.grad, "clippedB": b.grad})
    return rows


# Schedules: the factor on the learning rate at steps 0, 1, ...; and the scales of initial weights.
def schedules():
    rows = []
    lr = torch.optim.lr_scheduler

    def add(op, make, **options):
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
        schedule, factors = make(optimizer), []
        for _ in range(12):
            factors.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        rows.append({"op": op, "options": options, "factors": factors})

    add("stepLR", lambda o: lr.StepLR(o, 3, 0.5), stepSize=3, gamma=0.5)
    add("multiStepLR", lambda o: lr.MultiStepLR(o, [2, 7], 0.1), milestones=[2, 7], gamma=0.1)
    add("exponentialLR", lambda o: lr.ExponentialLR(o, 0.9), gamma=0.9)
    add("cosine", lambda o: lr.CosineAnnealingLR(o, 11, 0.05), steps=11, floor=0.05)
    add("warmUp", lambda o: lr.LinearLR(o, 1 / 4, 1, 3), steps=4)
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule, factors = lr.ReduceLROnPlateau(optimizer, "min", 0.5, 1, threshold=0.01, min_lr=0.2), []
    metrics = [1, 0.5, 0.498, 0.497, 0.3, 0.31, 0.3, 0.29, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2]
    for metric in metrics:
        schedule.step(metric)
        factors.append(optimizer.param_groups[0]["lr"])
    rows.append({"op": "ReduceLROnPlateau", "options": dict(factor=0.5, patience=1, threshold=0.01, floor=0.2),
                 "metrics": metrics, "factors": factors})
    return rows


def scales():
    rows = []
    for shape in [(64, 48), (32, 24, 3, 3)]:
        torch.manual_seed(0)
        w = torch.empty(shape)
        fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(w)
        for mode, fan in [("fanIn", fan_in), ("fanOut", fan_out)]:
            for kind, slope in [("relu", 0), ("leakyRelu", 0.2), ("tanh", 0), ("linear", 0), ("sigmoid", 0)]:
                gain = nn.init.calculate_gain({"leakyRelu": "leaky_relu"}.get(kind, kind), slope)
                options = dict(mode=mode, nonlinearity=kind, negativeSlope=slope)
                rows.append({"op": "kaimingUniform", "shape": shape, "options": options, "bound": gain * math.sqrt(3 / fan)})
                rows.append({"op": "kaimingNormal", "shape": shape, "options": options, "deviation": gain / math.sqrt(fan)})
                nn.init.kaiming_uniform_(w, slope, {"fanIn": "fan_in", "fanOut": "fan_out"}[mode],
                                         {"leakyRelu": "leaky_relu"}.get(kind, kind))
                assert 0.99 < w.abs().max() / rows[-2]["bound"] <= 1, "the bound is not PyTorch's"
        nn.init.xavier_uniform_(w, 1.5)
        rows.append({"op": "xavierUniform", "shape": shape, "options": dict(gain=1.5), "bound": 1.5 * math.sqrt(6 / (fan_in + fan_out))})
        rows.append({"op": "xavierNormal", "shape": shape, "options": dict(gain=1.5), "deviation": 1.5 * math.sqrt(2 / (fan_in + fan_out))})
        assert 0.99 < w.abs().max() / rows[-2]["bound"] <= 1, "the bound is not PyTorch's"
        layer = nn.Linear(shape[1], shape[0]) if len(shape) == 2 else nn.Conv2d(shape[1], shape[0], shape[2:])
        bound = 1 / math.sqrt(fan_in)
        assert 0.99 < layer.weight.abs().max() / bound <= 1 and layer.bias.abs().max() <= bound, "the bound is not PyTorch's"
        rows.append({"op": "Linear" if len(shape) == 2 else "Conv2d", "shape": shape, "options": {}, "bound": bound})
    return rows


# Networks, by the tables of the papers.
class VGG(nn.Module):
    def __init__(self, widths, channels=3):
        super().__init__()
        layers = []
        for width in widths:
            if width == "M":
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
                channels = width
        self.features, self.classifier = nn.Sequential(*layers), nn.Linear(512, 7)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


def vgg19():
    return VGG([64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512, 512, 512, 512, "M"])


class BasicBlock(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        changes = stride != 1 or inputs != width
        self.shortcut = nn.Sequential(*([nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width)] if changes else []))

    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + self.shortcut(x))


class ResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64)
        inputs = 64
        for i, (width, stride) in enumerate([(64, 1), (128, 2), (256, 2), (512, 2)], 1):
            setattr(self, f"layer{i}", nn.Sequential(BasicBlock(inputs, width, stride), BasicBlock(width, width, 1)))
            inputs = width
        self.linear = nn.Linear(512, 7)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.linear(F.avg_pool2d(x, 4).flatten(1))


def unit(inputs, width, kernel=3, stride=1, groups=1, relu=True):
    conv = nn.Conv2d(inputs, width, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(width), *([nn.ReLU()] if relu else []))


class Residual(nn.Module):
    def __init__(self, *body):
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x):
        return F.relu(self.body(x) + x)


class Compact(nn.Module):
    def __init__(self, width, *features):
        super().__init__()
        self.features, self.classifier = nn.Sequential(*features), nn.Linear(width, 7)

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


def small():
    residual = lambda c: Residual(unit(c, c), unit(c, c, relu=False))
    inverted = lambda c, m: Residual(unit(c, m, 1), unit(m, m, groups=m), unit(m, c, 1, relu=False))
    return Compact(256, unit(1, 16), unit(16, 24, stride=2), residual(24), unit(24, 64, stride=2), residual(64), unit(64, 128, stride=2),
                   inverted(128, 256), inverted(128, 256), unit(128, 256, 1))


def nano():
    pair = lambda a, b, stride=1: nn.Sequential(unit(a, a, groups=a, stride=stride), unit(a, b, 1))
    return Compact(96, unit(1, 12, stride=2), pair(12, 24), pair(24, 32, 2), pair(32, 48), pair(48, 64, 2), pair(64, 96), pair(96, 96))


def fill(network):
    """Weights by the formula: kernels kaiming-scaled, statistics and scales near one, so that activations keep their size through depth."""
    for name, value in network.state_dict().items():
        if value.dim() == 0:
            continue  # PyTorch's count of batches
        z = noise(name, tuple(value.shape))
        if value.dim() > 1:
            z = z * math.sqrt(6 / math.prod(value.shape[1:]))
        elif name.endswith("running_var"):
            z = 1 + 0.5 * z
        elif name.endswith("weight"):
            z = 1 + 0.25 * z
        else:
            z = 0.1 * z
        value.copy_(torch.from_numpy(z.astype(np.float32).astype(np.float64)))


def images(channels, side, draw=0):
    """Two images in 0..1: noise, and noise in blocks of four by four; each draw is of other noise."""
    named = "" if draw == 0 else f" {draw}"
    fine = noise(f"fine {side}{named}", (1, side, side))
    coarse = noise(f"coarse {side}{named}", (1, side // 4, side // 4)).repeat(4, 1).repeat(4, 2)
    both = (np.stack([fine, coarse]) * 0.5 + 0.5).astype(np.float32).astype(np.float64)
    return torch.from_numpy(both).expand(2, channels, side, side).contiguous()


def off_kinks(network, channels, side, draws):
    """The draw of images whose pre-activations keep farthest from 0, by their mean: a gradient jumps where rounding crosses it."""
    relu, nearest = F.relu, []
    F.relu = lambda x: (nearest.append(float(x.abs().min() / x.abs().mean())), relu(x))[1]
    margins = []
    for draw in range(draws):
        nearest.clear()
        with torch.no_grad():
            network(images(channels, side, draw))
        margins.append(min(nearest))
    F.relu = relu
    return max(range(draws), key=margins.__getitem__)


def networks():
    rows = []
    table = [("vgg19", vgg19, 3, 20_038_983), ("resnet18", ResNet18, 3, 11_172_423), ("small", small, 1, 349_383), ("nano", nano, 1, 25_591)]
    for name, make, channels, count in table:
        network = make()
        parameters = sum(p.numel() for p in network.parameters())
        assert parameters == count, f"{name} has {parameters} parameters, expected {count}"
        fill(network)
        network.eval()
        with torch.no_grad():
            logits = network(images(channels, 44))
        # One step of training, without dropout; 32x32 is the least that the large ones take.
        side, labels = 32, torch.tensor([3, 5])
        # Rounding moves ResNet18's pre-activations by 1e-6 of their mean, and one of the first images has 6e-7.
        draw = off_kinks(network, channels, side, 150) if name == "resnet18" else 0
        loss = lambda: F.cross_entropy(network(images(channels, side, draw)), labels, label_smoothing=0.1)
        network.train()
        trained = loss()
        buffers = [(key, b.clone()) for key, b in network.named_buffers() if b.dim() > 0]
        # With eight values per channel in its last layers, VGG19's gradient in training depends on the last bits (PyTorch's float32
        # is 7e-4 off), and a pre-activation of ResNet18 is so near 0 that a last bit of the images changes its gradient by
        # 1e-3: gradients of both use the statistics before this step.
        held = name in ("vgg19", "resnet18")
        if held:
            fill(network)
            network.eval()
        (loss() if held else trained).backward()
        # A bias before batch normalization has no gradient but rounding.
        named = [(key, p) for key, p in network.named_parameters() if p.grad.norm() > 1e-6]
        chosen = [named[i] for i in (0, 1, len(named) // 3, len(named) // 2, len(named) - 5, len(named) - 2, len(named) - 1)]
        gradients = {key: {"norm": float(p.grad.norm()), "first": p.grad.flatten()[:4]} for key, p in chosen}
        running = {key: {"norm": float(b.norm()), "first": b[:4]} for key, b in (buffers[0], buffers[1], buffers[-2], buffers[-1])}
        rows.append({"name": name, "channels": channels, "parameters": count, "logits": logits,
                     "training": {"side": side, "draw": draw, "labels": labels.tolist(), "labelSmoothing": 0.1,
                                  "loss": float(trained), "held": held, "gradients": gradients, "running": running}})
    return rows


def formula():
    names = ("", "features.0.weight", "naïve")
    return [{"name": name, "values": [float(v) for v in noise(name, (4,))]} for name in names]


if __name__ == "__main__":
    files = dict(formula=formula, pool=pools, norm=norms, layerNorm=layer_norms, conv=convolutions, element=elements, function=functions,
                 shape=shapes, attention=attentions, loss=losses,
                 optimizer=optimizers, schedule=schedules, init=scales, network=networks)
    for name in sys.argv[1:] or files:
        write(name, files[name]())
