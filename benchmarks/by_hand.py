"""The default GPT's loss and gradients by hand: `qt.functional`'s formulas without a tape."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import qt

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]


def rms_norm(x: Array, w: Array, eps: float) -> tuple[Array, Array, Array]:
    """(N, C), (C,) -> y, and for the way back x̂ (N, C) and r (N, 1)."""
    r = 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps)
    xhat = x * r
    return xhat * w, xhat, r


def rms_norm_backward(g: Array, w: Array, xhat: Array, r: Array) -> tuple[Array, Array]:
    gw = g * w
    return r * (gw - xhat * (gw * xhat).mean(axis=-1, keepdims=True)), (g * xhat).sum(axis=0)


def turn(x: Array, cos: Array, sin: Array) -> Array:
    """Rotary positions: (B, H, T, D), (T, D/2) twice -> (B, H, T, D)."""
    half = x.shape[-1] // 2
    a, b, out = x[..., :half], x[..., half:], np.empty_like(x)
    out[..., :half] = a * cos - b * sin
    out[..., half:] = b * cos + a * sin
    return out


def loss_and_gradients(c: qt.GPTConfig, w: Arrays, ids: Array, y: Array) -> tuple[float, Arrays]:
    """(B, T) ids and targets -> the mean loss in nats, and the gradient of each weight by name."""
    (B, T), H, D = ids.shape, c.n_head, c.head_dim
    N, C, dtype = B * T, c.d_model, w["norm.weight"].dtype.type
    scale = dtype(1 / math.sqrt(c.head_dim))
    angles = np.arange(T)[:, None] * c.rope_theta ** (-np.arange(0, D, 2) / D)
    cos, sin = np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)
    future = np.triu(np.ones((T, T), dtype=bool), 1)

    def split(x: Array) -> Array:
        return x.reshape(B, T, H, D).swapaxes(1, 2)  # (B, H, T, D)

    def join(x: Array) -> Array:
        return x.swapaxes(1, 2).reshape(N, C)

    # Forward. `kept` holds for each layer what its way back needs.
    x = w["embed_tokens.weight"][ids.reshape(-1)]  # (N, C)
    kept = []
    for i in range(c.n_layer):
        q_w, k_w, v_w, o_w = (w[f"layers.{i}.self_attn.{n}_proj.weight"] for n in "qkvo")
        gate_w, up_w, down_w = (
            w[f"layers.{i}.mlp.{n}_proj.weight"] for n in ("gate", "up", "down")
        )
        h, *norm1 = rms_norm(x, w[f"layers.{i}.input_layernorm.weight"], c.norm_eps)
        q, k = turn(split(h @ q_w.T), cos, sin), turn(split(h @ k_w.T), cos, sin)
        v = split(h @ v_w.T)
        p = (q * scale) @ k.swapaxes(-1, -2)  # (B, H, T, T)
        p[..., future] = -np.inf
        p -= p.max(axis=-1, keepdims=True)
        np.exp(p, out=p)
        p /= p.sum(axis=-1, keepdims=True)
        mixed = join(p @ v)
        x = x + mixed @ o_w.T
        h2, *norm2 = rms_norm(x, w[f"layers.{i}.post_attention_layernorm.weight"], c.norm_eps)
        gate, up = h2 @ gate_w.T, h2 @ up_w.T  # (N, F)
        s = 1 / (1 + np.exp(-gate))
        silu = gate * s
        inner = silu * up
        x = x + inner @ down_w.T
        kept.append((h, norm1, q, k, v, p, mixed, h2, norm2, gate, up, s, silu, inner))
    last, *norm = rms_norm(x, w["norm.weight"], c.norm_eps)
    log_p = last @ w["embed_tokens.weight"].T  # (N, V)
    log_p -= log_p.max(axis=-1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(axis=-1, keepdims=True))
    rows, targets = np.arange(N), y.reshape(-1)
    loss = -float(log_p[rows, targets].mean())

    # Backward, in the opposite order; `dx` is the gradient of the residual stream.
    grads: Arrays = {}
    d = np.exp(log_p)
    d[rows, targets] -= 1
    d /= N
    grads["embed_tokens.weight"] = d.T @ last
    dx, grads["norm.weight"] = rms_norm_backward(
        d @ w["embed_tokens.weight"], w["norm.weight"], *norm
    )
    for i in reversed(range(c.n_layer)):
        h, norm1, q, k, v, p, mixed, h2, norm2, gate, up, s, silu, inner = kept.pop()
        block, mlp, attn = f"layers.{i}", f"layers.{i}.mlp", f"layers.{i}.self_attn"
        grads[f"{mlp}.down_proj.weight"] = dx.T @ inner
        di = dx @ w[f"{mlp}.down_proj.weight"]
        dgate, dup = di * up * s * (1 + gate * (1 - s)), di * silu
        grads[f"{mlp}.gate_proj.weight"], grads[f"{mlp}.up_proj.weight"] = dgate.T @ h2, dup.T @ h2
        dh = dgate @ w[f"{mlp}.gate_proj.weight"] + dup @ w[f"{mlp}.up_proj.weight"]
        name = f"{block}.post_attention_layernorm.weight"
        back, grads[name] = rms_norm_backward(dh, w[name], *norm2)
        dx = dx + back
        grads[f"{attn}.o_proj.weight"] = dx.T @ mixed
        dm = split(dx @ w[f"{attn}.o_proj.weight"])
        dv, dp = p.swapaxes(-1, -2) @ dm, dm @ v.swapaxes(-1, -2)
        ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) * scale
        dq, dk = turn(ds @ k, cos, -sin), turn(ds.swapaxes(-1, -2) @ q, cos, -sin)
        dh = np.zeros_like(h)
        for n, part in (("q", join(dq)), ("k", join(dk)), ("v", join(dv))):
            grads[f"{attn}.{n}_proj.weight"] = part.T @ h
            dh += part @ w[f"{attn}.{n}_proj.weight"]
        name = f"{block}.input_layernorm.weight"
        back, grads[name] = rms_norm_backward(dh, w[name], *norm1)
        dx = dx + back
    order = np.argsort(ids.reshape(-1), kind="stable")
    used, starts = np.unique(ids.reshape(-1)[order], return_index=True)
    grads["embed_tokens.weight"][used] += np.add.reduceat(dx[order], starts, axis=0)
    return loss, grads
