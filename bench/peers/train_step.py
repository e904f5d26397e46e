#!/usr/bin/env python3
"""The decoder's training step in eager PyTorch: the same network as bench_train_step, bf16 autocast, channels-last,
fused AdamW, denormals flushed. An independent peer for speed, not a reference for values.

Usage: train_step.py CONFIG.json BATCH STEPS THREADS  -> one JSON line
"""
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


class ResBlock(nn.Module):
    def __init__(self, c_in, c_out, embed, groups, resample=None):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(groups, c_in), nn.Conv2d(c_in, c_out, 3, padding=1)
        self.embed = nn.Linear(embed, 2 * c_out)
        self.norm2, self.conv2 = nn.GroupNorm(groups, c_out), nn.Conv2d(c_out, c_out, 3, padding=1)
        self.skip = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()
        self.resample = {None: lambda x: x, "down": lambda x: F.avg_pool2d(x, 2),
                         "up": lambda x: F.interpolate(x, scale_factor=2, mode="nearest")}[resample]

    def forward(self, x, e):
        h = self.conv1(self.resample(F.silu(self.norm1(x))))
        x = self.resample(x)
        scale, shift = self.embed(e)[:, :, None, None].chunk(2, 1)
        h = self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))
        return self.skip(x) + h


class Attention(nn.Module):
    def __init__(self, c, head, context, groups):
        super().__init__()
        self.norm, self.heads = nn.GroupNorm(groups, c), c // head
        self.qkv, self.context, self.out = nn.Linear(c, 3 * c), nn.Linear(context, 2 * c), nn.Linear(c, c)

    def forward(self, x, tokens):
        n, c, height, width = x.shape
        h = self.norm(x).permute(0, 2, 3, 1).reshape(n, height * width, c)
        q, k, v = self.qkv(h).chunk(3, -1)
        ck, cv = self.context(tokens).chunk(2, -1)
        split = lambda t: t.reshape(n, -1, self.heads, c // self.heads).transpose(1, 2)
        h = F.scaled_dot_product_attention(split(q), split(torch.cat([ck, k], 1)), split(torch.cat([cv, v], 1)))
        h = self.out(h.transpose(1, 2).reshape(n, height * width, c))
        return x + h.reshape(n, height, width, c).permute(0, 3, 1, 2)


class Level(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks, self.attentions, self.resample = nn.ModuleList(), nn.ModuleList(), None


class Decoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        u = config["unet"]
        self.u, base, embed = u, u["channels"], 4 * u["channels"]
        widths = [base * m for m in u["channel_mult"]]
        grid = u["size"] // u["patch"]
        attends = [grid >> i in u["attention_resolutions"] for i in range(len(widths))]
        block = lambda i, o, r=None: ResBlock(i, o, embed, u["groups"], r)
        attention = lambda c: Attention(c, u["head_channels"], u["context_width"], u["groups"])
        self.time = nn.Sequential(nn.Linear(base, embed), nn.SiLU(), nn.Linear(embed, embed))
        self.z_embed = nn.Linear(config["embed_dim"], embed)
        self.z_tokens = nn.Linear(config["embed_dim"], 4 * u["context_width"])
        self.conv_in = nn.Conv2d(u["in_channels"] * u["patch"] ** 2, widths[0], 3, padding=1)
        self.down, self.up, skips, width = nn.ModuleList(), nn.ModuleList(), [widths[0]], widths[0]
        for i, w in enumerate(widths):
            level = Level()
            for _ in range(u["depth"]):
                level.blocks.append(block(width, w))
                width = w
                if attends[i]:
                    level.attentions.append(attention(w))
                skips.append(w)
            if i + 1 < len(widths):
                level.resample = block(w, w, "down")
                skips.append(w)
            self.down.append(level)
        self.mid1, self.mid_attention, self.mid2 = block(width, width), attention(width), block(width, width)
        for i, w in reversed(list(enumerate(widths))):
            level = Level()
            for _ in range(u["depth"] + 1):
                level.blocks.append(block(width + skips.pop(), w))
                width = w
                if attends[i]:
                    level.attentions.append(attention(w))
            if i > 0:
                level.resample = block(w, w, "up")
            self.up.append(level)
        self.norm_out = nn.GroupNorm(u["groups"], width)
        self.conv_out = nn.Conv2d(width, u["out_channels"] * u["patch"] ** 2, 3, padding=1)

    def forward(self, x, t, z):
        base = self.u["channels"]
        freqs = torch.exp(torch.arange(base // 2) * (-torch.log(torch.tensor(10000.0)) / (base // 2)))
        angles = t[:, None].float() * freqs[None]
        e = F.silu(self.time(torch.cat([angles.cos(), angles.sin()], 1)) + self.z_embed(z))
        tokens = self.z_tokens(z).reshape(z.shape[0], 4, -1)
        h = self.conv_in(F.pixel_unshuffle(x, self.u["patch"]).to(memory_format=torch.channels_last))
        skips = [h]
        for level in self.down:
            for i, b in enumerate(level.blocks):
                h = b(h, e)
                if level.attentions:
                    h = level.attentions[i](h, tokens)
                skips.append(h)
            if level.resample is not None:
                h = level.resample(h, e)
                skips.append(h)
        h = self.mid2(self.mid_attention(self.mid1(h, e), tokens), e)
        for level in self.up:
            for i, b in enumerate(level.blocks):
                h = b(torch.cat([h, skips.pop()], 1), e)
                if level.attentions:
                    h = level.attentions[i](h, tokens)
            if level.resample is not None:
                h = level.resample(h, e)
        return F.pixel_shuffle(self.conv_out(F.silu(self.norm_out(h))), self.u["patch"]).float()


def main():
    path, batch, steps, threads = sys.argv[1], *map(int, sys.argv[2:5])
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    config = json.load(open(path, encoding="utf-8"))
    config = config.get("model", config)
    model = Decoder(config).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    average = [p.detach().clone() for p in model.parameters()]
    u = config["unet"]
    x, target = (torch.randn(batch, u[c], u["size"], u["size"]) for c in ("in_channels", "out_channels"))
    t, z = torch.randint(1000, (batch,)), torch.randn(batch, config["embed_dim"])
    seconds = []
    for _ in range(steps):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = F.mse_loss(model(x, t, z), target)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
        optimizer.step()
        torch._foreach_lerp_(average, [p.detach() for p in model.parameters()], 1e-3)
        seconds.append(time.perf_counter() - start)
    median = sorted(seconds)[steps // 2]
    print(json.dumps({"parameters": sum(p.numel() for p in model.parameters()), "seconds": median,
                      "pictures_per_second": batch / median}))


if __name__ == "__main__":
    main()
