"""One adversarial step in NumPy float64, from the papers' formulas alone.

A generator (Dense, BatchNormalization, ReLU, transposed convolution, tanh) and
a discriminator (convolution, LeakyReLU, convolution, BatchNormalization,
LeakyReLU, Dense) on 4x4 pictures. Gradients are central differences of the
loss, so nothing of kgan's, Keras's or TensorFlow's differentiation is used.
"""

import numpy as np

MOMENTUM, EPSILON = 0.9, 1e-5


def batch_norm(x, gamma, beta, statistics):
    """Training-mode normalisation over all axes but the last; updates `statistics` in place."""
    axes = tuple(range(x.ndim - 1))
    mean, variance = x.mean(axes), x.var(axes)
    statistics["mean"] = MOMENTUM * statistics["mean"] + (1 - MOMENTUM) * mean
    statistics["variance"] = MOMENTUM * statistics["variance"] + (1 - MOMENTUM) * variance
    return gamma * (x - mean) / np.sqrt(variance + EPSILON) + beta


def conv_same(x, kernel, stride):
    """Cross-correlation with TensorFlow's 'same' padding; kernel (kh, kw, in, out)."""
    size, k = x.shape[1], kernel.shape[0]
    out = -(-size // stride)
    total = max((out - 1) * stride + k - size, 0)
    x = np.pad(x, ((0, 0), *2 * ((total // 2, total - total // 2),), (0, 0)))
    result = np.zeros((len(x), out, out, kernel.shape[3]))
    for i in range(out):
        for j in range(out):
            patch = x[:, i * stride : i * stride + k, j * stride : j * stride + k]
            result[:, i, j] = np.einsum("bhwc,hwco->bo", patch, kernel)
    return result


def conv_transpose_same(x, kernel, stride):
    """The adjoint of `conv_same` in x; kernel (kh, kw, out, in), each side times `stride`."""
    size, k = x.shape[1], kernel.shape[0]
    out = size * stride
    total = max((size - 1) * stride + k - out, 0)
    full = np.zeros((len(x), out + total, out + total, kernel.shape[2]))
    for i in range(size):
        for j in range(size):
            full[:, i * stride : i * stride + k, j * stride : j * stride + k] += np.einsum(
                "bc,hwoc->bhwo", x[:, i, j], kernel
            )
    start = total // 2
    return full[:, start : start + out, start : start + out]


def leaky_relu(x):
    return np.where(x > 0, x, 0.2 * x)


def softplus(x):
    return np.logaddexp(0.0, x)


def generate(w, statistics, latents):
    """w: [dense, gamma, beta, kernel, bias]."""
    x = (latents @ w[0]).reshape(len(latents), 2, 2, -1)
    x = np.maximum(batch_norm(x, w[1], w[2], statistics), 0.0)
    return np.tanh(conv_transpose_same(x, w[3], 2) + w[4])


def judge(w, statistics, images):
    """w: [kernel, bias, kernel, gamma, beta, dense, bias]."""
    x = leaky_relu(conv_same(images, w[0], 2) + w[1])
    x = leaky_relu(batch_norm(conv_same(x, w[2], 1), w[3], w[4], statistics))
    return x.reshape(len(x), -1) @ w[5] + w[6]


def gradients(loss, weights, step=1e-6):
    """Central differences of loss(weights) in every single weight."""
    result = []
    for index, weight in enumerate(weights):
        gradient = np.zeros_like(weight)
        for place in np.ndindex(weight.shape):
            ends = []
            for sign in (1, -1):
                moved = [w.copy() for w in weights]
                moved[index][place] += sign * step
                ends.append(loss(moved))
            gradient[place] = (ends[0] - ends[1]) / (2 * step)
        result.append(gradient)
    return result


class SGD:
    def __init__(self, learning_rate):
        self.learning_rate = learning_rate

    def update(self, weights, grads):
        return [w - self.learning_rate * g for w, g in zip(weights, grads, strict=True)]


class Adam:
    """Kingma and Ba 2014, algorithm 1, with epsilon as Keras places it (section 2, last lines)."""

    def __init__(self, learning_rate, beta_1, beta_2=0.999, epsilon=1e-7):
        self.learning_rate, self.betas, self.epsilon = learning_rate, (beta_1, beta_2), epsilon
        self.t, self.m, self.v = 0, None, None

    def update(self, weights, grads):
        b1, b2 = self.betas
        self.t += 1
        self.m = [b1 * m + (1 - b1) * g for m, g in zip(self.m or [0] * len(grads), grads)]  # noqa: B905
        self.v = [b2 * v + (1 - b2) * g * g for v, g in zip(self.v or [0] * len(grads), grads)]  # noqa: B905
        rate = self.learning_rate * np.sqrt(1 - b2**self.t) / (1 - b1**self.t)
        return [
            w - rate * m / (np.sqrt(v) + self.epsilon)
            for w, m, v in zip(weights, self.m, self.v, strict=True)
        ]


def fresh(statistics):
    """A copy that a trial evaluation may write into."""
    return dict(statistics)


def train_step(state, real, d_latents, g_latents, d_update="joint"):
    """One step on state: dict of g, d (weights), g_stats, d_stats, g_opt, d_opt.

    Returns:
        (d_loss, g_loss) before their updates.
    """
    fake = generate(state["g"], fresh(state["g_stats"]), d_latents)

    def real_loss(w, statistics):
        return softplus(-judge(w, statistics, real)).mean()

    def fake_loss(w, statistics):
        return softplus(judge(w, statistics, fake)).mean()

    turns = [(real_loss, fake_loss)] if d_update == "joint" else [(fake_loss,), (real_loss,)]
    for turn in turns:
        d_loss = sum(part(state["d"], fresh(state["d_stats"])) for part in (real_loss, fake_loss))
        grads = gradients(
            lambda w, turn=turn: sum(part(w, fresh(state["d_stats"])) for part in turn), state["d"]
        )
        for part in turn:  # the real batch's statistics come in first, then the fake batch's
            part(state["d"], state["d_stats"])
        state["d"] = state["d_opt"].update(state["d"], grads)

    def generator_loss(w, statistics):
        images = generate(w, statistics, g_latents)
        return softplus(-judge(state["d"], fresh(state["d_stats"]), images)).mean()

    g_loss = generator_loss(state["g"], fresh(state["g_stats"]))
    grads = gradients(lambda w: generator_loss(w, fresh(state["g_stats"])), state["g"])
    generator_loss(state["g"], state["g_stats"])
    state["g"] = state["g_opt"].update(state["g"], grads)
    return d_loss, g_loss
