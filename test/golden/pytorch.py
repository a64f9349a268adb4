"""Writes pytorch.golden.json: one value as torch.save writes it, in both containers, and what is in it.

Run with a CPU build of PyTorch: python3 test/golden/pytorch.py
"""

import base64
import collections
import io
import json
import os

import torch

base = torch.arange(24, dtype=torch.float32) / 8 - 1
value = {
    "net": collections.OrderedDict(
        [
            ("transposed", base.reshape(4, 6).t()),
            ("permuted", base.reshape(2, 3, 4).permute(2, 0, 1)),
            ("every third", base[1::3]),
            ("part", base.reshape(4, 6)[1:3, 2:5]),
            ("expanded", torch.tensor([[1.5], [-2.5]]).expand(2, 3)),
            ("scalar", torch.tensor(73.112)),
            ("empty", torch.zeros(2, 0, 3)),
            ("parameter", torch.nn.Parameter(torch.tensor([1.0, 2.0]))),
        ]
    ),
    "kinds": {
        str(dtype)[6:]: torch.tensor([0, 1, 1, 100], dtype=dtype)
        for dtype in [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool]
    },
    "negative": {
        str(dtype)[6:]: torch.tensor([-1, -100], dtype=dtype)
        for dtype in [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8]
    },
    "module": torch.nn.BatchNorm1d(2).state_dict(),
    "beside": [1, -1, 70000, 2**40, 0.1, None, True, "word", (3, "x"), torch.Size([2, 3])],
}


def saved(zipped):
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=zipped)
    return base64.b64encode(file.getvalue()).decode()


tensors = {}


def collect(each, path):
    if isinstance(each, torch.Tensor):
        tensors[path] = {"dtype": str(each.dtype)[6:], "shape": list(each.shape), "values": each.detach().double().flatten().tolist()}
    elif isinstance(each, dict):
        for key, item in each.items():
            collect(item, f"{path}.{key}" if path else key)


collect(value, "")
golden = {"torch": torch.__version__, "zip": saved(True), "legacy": saved(False), "tensors": tensors}
with open(os.path.join(os.path.dirname(__file__), "pytorch.golden.json"), "w") as file:
    json.dump(golden, file)
    file.write("\n")
