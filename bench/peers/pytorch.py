"""PyTorch's CPU build: one piece of work, named on the command line, timed as Mien's is."""

import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

BATCH, CLASSES = 16, 7
VGG19 = [64, 64, "M", 128, 128, "M"] + [256] * 4 + ["M"] + [512] * 4 + ["M"] + [512] * 4 + ["M"]


def vgg19():
    layers, inputs = [], 3
    for width in VGG19:
        if width == "M":
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        inputs = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.5), nn.Linear(512, CLASSES))


class Block(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        same = stride == 1 and inputs == width
        shortcut = [] if same else [nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width)]
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + self.shortcut(x))


def resnet18():
    layers, inputs = [nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU()], 64
    for width, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [Block(inputs, width, stride), Block(width, width, 1)]
        inputs = width
    return nn.Sequential(*layers, nn.AvgPool2d(4), nn.Flatten(), nn.Dropout(0.5), nn.Linear(512, CLASSES))


def step(make):
    net = make().train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    x, labels = torch.randn(BATCH, 3, 44, 44), torch.arange(BATCH) % CLASSES

    def run():
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), labels)
        loss.backward()
        torch.nn.utils.clip_grad_value_(net.parameters(), 0.1)
        optimizer.step()
        return loss.item()

    return run


def forward(make):
    net, x = make().eval(), torch.randn(BATCH, 3, 44, 44)

    def run():
        with torch.no_grad():
            return net(x)

    return run


def gemm(n):
    a, b = torch.randn(n, n), torch.randn(n, n)
    return lambda: a @ b


def conv(name):
    x, w, dy = torch.randn(BATCH, 64, 44, 44), torch.randn(64, 64, 3, 3), torch.randn(BATCH, 64, 44, 44)
    mask = {"inputGradient": [True, False, False], "weightGradient": [False, True, False]}
    if name == "forward":
        return lambda: F.conv2d(x, w, padding=1)
    return lambda: torch.ops.aten.convolution_backward(dy, x, w, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, mask[name])


WORK = {
    "gemm/512": lambda: gemm(512),
    "gemm/1024": lambda: gemm(1024),
    "conv64x44/forward": lambda: conv("forward"),
    "conv64x44/inputGradient": lambda: conv("inputGradient"),
    "conv64x44/weightGradient": lambda: conv("weightGradient"),
    "forward/vgg19/b16": lambda: forward(vgg19),
    "forward/resnet18/b16": lambda: forward(resnet18),
    "step/vgg19/b16": lambda: step(vgg19),
    "step/resnet18/b16": lambda: step(resnet18),
}


def measure(run):
    """Two runs that warm, then half a second and three runs at least; as bench/measure.ts."""
    run()
    run()
    times, spent = [], 0.0
    while spent < 0.5 or (len(times) < 3 and spent < 30):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
        spent += times[-1]
    times.sort()
    return {"median": times[len(times) // 2], "min": times[0], "max": times[-1]}


print(json.dumps({"seconds": measure(WORK[sys.argv[1]]())}))
