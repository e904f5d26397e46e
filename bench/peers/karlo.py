#!/usr/bin/env python3
"""A component of Karlo at its real size in diffusers 0.36 with random weights, made once and then run at each line of
input: what bench_karlo is compared with. Denormals are flushed, inference mode, as fast as the library goes by itself.

Usage: karlo.py COMPONENT DTYPE eager|compiled THREADS
Prints {"making": s}, then {"first": s} (compiles), then {"seconds": s} for each line of input.
"""
import json
import sys
import time

import torch
from diffusers import PriorTransformer, UNet2DConditionModel, UNet2DModel, UnCLIPScheduler

WIDTHS = (320, 640, 960, 1280)


def random_net(make, dtype):
    with torch.device("meta"):
        net = make()
    net = net.to(dtype).to_empty(device="cpu")
    for parameter in net.parameters():
        parameter.data.uniform_(-0.03, 0.03)
    for name, buffer in net.named_buffers():  # the prior's causal mask, lost on the meta device
        if name == "causal_attention_mask":
            buffer.copy_(torch.full(buffer.shape, -10000.0).triu_(1))
    return net.eval().requires_grad_(False)


def make_prior(dtype, compiled):
    net = random_net(lambda: PriorTransformer(num_attention_heads=32, attention_head_dim=64, num_layers=20,
                                              embedding_dim=768, num_embeddings=77, additional_embeddings=4), dtype)
    forward = torch.compile(net) if compiled else net
    scheduler = UnCLIPScheduler(variance_type="fixed_small_log", prediction_type="sample", clip_sample_range=5.0)
    scheduler.set_timesteps(25)
    z_t, hidden = torch.randn(2, 768, dtype=dtype), torch.randn(2, 77, 768, dtype=dtype)
    mask = torch.arange(77)[None] < torch.tensor([[2], [12]])

    def run():
        """The prior's loop of UnCLIPPipeline."""
        x = torch.randn(1, 768, dtype=dtype)
        for i, t in enumerate(scheduler.timesteps):
            x_0 = forward(x.repeat(2, 1), timestep=t, proj_embedding=z_t, encoder_hidden_states=hidden,
                          attention_mask=mask).predicted_image_embedding
            null, conditional = x_0.chunk(2)
            x_0 = null + 4.0 * (conditional - null)
            last = i + 1 == len(scheduler.timesteps)
            x = scheduler.step(x_0, timestep=t, sample=x,
                               prev_timestep=None if last else scheduler.timesteps[i + 1]).prev_sample
    return run


def make_decoder(dtype, compiled):
    net = random_net(lambda: UNet2DConditionModel(
        sample_size=64, in_channels=3, out_channels=6, block_out_channels=WIDTHS, layers_per_block=3,
        down_block_types=("ResnetDownsampleBlock2D",) + ("SimpleCrossAttnDownBlock2D",) * 3,
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        up_block_types=("SimpleCrossAttnUpBlock2D",) * 3 + ("ResnetUpsampleBlock2D",),
        cross_attention_dim=1536, class_embed_type="identity", attention_head_dim=64,
        resnet_time_scale_shift="scale_shift"), dtype)
    forward = torch.compile(net) if compiled else net
    x, t = torch.randn(2, 3, 64, 64, dtype=dtype), torch.tensor(500)
    tokens, added = torch.randn(2, 81, 1536, dtype=dtype), torch.randn(2, 1280, dtype=dtype)
    mask = torch.nn.functional.pad(torch.arange(77)[None] < torch.tensor([[2], [12]]), (4, 0), value=True)
    return lambda: forward(sample=x, timestep=t, encoder_hidden_states=tokens, class_labels=added,
                           attention_mask=mask).sample


def make_super_resolution(dtype, compiled):
    net = random_net(lambda: UNet2DModel(
        sample_size=256, in_channels=6, out_channels=3, block_out_channels=WIDTHS, layers_per_block=3,
        down_block_types=("ResnetDownsampleBlock2D",) * 4, up_block_types=("ResnetUpsampleBlock2D",) * 4,
        add_attention=False), dtype)
    forward = torch.compile(net) if compiled else net
    x, t = torch.randn(1, 6, 256, 256, dtype=dtype), torch.tensor(500)
    return lambda: forward(sample=x, timestep=t).sample


def report(what, work):
    start = time.perf_counter()
    result = work()
    print(json.dumps({what: time.perf_counter() - start}), flush=True)
    return result


@torch.inference_mode()
def main():
    component, dtype, how, threads = sys.argv[1:5]
    torch.set_num_threads(int(threads))
    torch.set_flush_denormal(True)
    makers = {"prior": make_prior, "decoder": make_decoder, "super_res_first": make_super_resolution,
              "super_res_last": make_super_resolution}
    run = report("making", lambda: makers[component]({"bf16": torch.bfloat16, "fp32": torch.float32}[dtype],
                                                     how == "compiled"))
    report("first", run)
    for _ in sys.stdin:
        report("seconds", run)


if __name__ == "__main__":
    main()
