"""PyTorch, on CUDA if available: times the work that the command line names, as Mien's is timed.

pytorch.py WORK [f32 | tf32 | bf16]: float32, float32 with TF32 products, or autocast to bfloat16 (both on CUDA only).
pytorch.py --device: the name of the GPU that it uses, or `cpu`.
"""

import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

CLASSES = 7
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
PRECISION = sys.argv[2] if len(sys.argv) > 2 else "f32"
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


def numbers(*shape):
    return torch.randn(*shape, device=DEVICE)


def autocast():
    return torch.autocast(DEVICE, torch.bfloat16, enabled=PRECISION == "bf16")


def step(make, batch):
    net = make().to(DEVICE).train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    x, labels = numbers(batch, 3, 44, 44), torch.arange(batch, device=DEVICE) % CLASSES

    def run():
        optimizer.zero_grad()
        with autocast():
            loss = F.cross_entropy(net(x), labels)
        loss.backward()
        torch.nn.utils.clip_grad_value_(net.parameters(), 0.1)
        optimizer.step()
        return loss.detach()

    return run


def forward(make, batch):
    net, x = make().to(DEVICE).eval(), numbers(batch, 3, 44, 44)

    def run():
        with torch.no_grad(), autocast():
            return net(x)

    return run


def gemm(n):
    a, b = numbers(n, n), numbers(n, n)

    def run():
        with autocast():
            return a @ b

    return run


def conv(name):
    x, w, dy = numbers(16, 64, 44, 44), numbers(64, 64, 3, 3), numbers(16, 64, 44, 44)
    if PRECISION == "bf16":
        x, w, dy = x.bfloat16(), w.bfloat16(), dy.bfloat16()
    mask = {"inputGradient": [True, False, False], "weightGradient": [False, True, False]}
    if name == "forward":
        return lambda: F.conv2d(x, w, padding=1)
    return lambda: torch.ops.aten.convolution_backward(dy, x, w, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, mask[name])


NETWORKS = {"vgg19": vgg19, "resnet18": resnet18}


def work(name):
    """The function to time for a record: gemm/512, conv64x44/forward, step/vgg19/b16."""
    kind, *parts = name.split("/")
    if kind == "gemm":
        return gemm(int(parts[0]))
    if kind == "conv64x44":
        return conv(parts[0])
    return {"step": step, "forward": forward}[kind](NETWORKS[parts[0]], int(parts[1].removeprefix("b")))


def seconds(run, times):
    """Seconds of one run, from that many runs until the device has finished them."""
    start = time.perf_counter()
    for _ in range(times):
        y = run()
    if DEVICE == "cuda":
        torch.cuda.synchronize()
    elif y.dim() == 0:
        y.item()
    return (time.perf_counter() - start) / times


def measure(run):
    """Two warm-up runs, then at least half a second and three samples, as bench/measure.ts. On CUDA a sample has as many runs as
    take 30 ms (100 ms of training steps), so that the costs of launches and waits are negligible."""
    seconds(run, 1)
    seconds(run, 1)
    together = 1
    if DEVICE == "cuda":
        enough = 0.1 if sys.argv[1].startswith("step/") else 0.03
        for of in (enough / 8, enough):
            together = max(1, min(4096, int(of / seconds(run, together)) + 1))
    times, spent = [], 0.0
    while spent < 0.5 or (len(times) < 3 and spent < 30):
        times.append(seconds(run, together))
        spent += times[-1] * together
    times.sort()
    return {"median": times[len(times) // 2], "min": times[0], "max": times[-1]}


if sys.argv[1] == "--device":
    print(torch.cuda.get_device_name() if DEVICE == "cuda" else "cpu")
    sys.exit()
if DEVICE == "cpu" and PRECISION != "f32":
    sys.exit(f"error: {PRECISION} is measured on CUDA only")
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = PRECISION == "tf32"
torch.backends.cudnn.benchmark = True
print(json.dumps({"seconds": measure(work(sys.argv[1]))}))
