"""DiffAugment: each change against NumPy, its gradients, the adaptive strength, and the step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.layers import colour_augment as colour
from kgan.layers import geometric_augment as geometry
from kgan.layers.diff_augment import DiffAugment, cut_out, jitter_colour, shift
from kgan.layers.draws import PerImage

RNG = np.random.default_rng(9)
IMAGES = RNG.uniform(-1, 1, (5, 12, 10, 3)).astype(np.float32)
EVERYTHING = "color,translation,cutout"
PIPE = f"{DiffAugment.ADA},{EVERYTHING}"


def seed(number=0):
    return tf.constant([3, number], tf.int32)


def numpy_colour(x, brightness, saturation, contrast):
    x = x.astype(np.float64) + brightness[:, None, None, None]
    grey = x.mean(3, keepdims=True)
    x = (x - grey) * saturation[:, None, None, None] + grey
    mean = x.mean((1, 2, 3), keepdims=True)
    return (x - mean) * contrast[:, None, None, None] + mean


def numpy_shift(x, down, right):
    result = np.zeros_like(x)
    for b, (dy, dx) in enumerate(zip(down, right, strict=True)):
        for i in range(x.shape[1]):
            for j in range(x.shape[2]):
                if 0 <= i - dy < x.shape[1] and 0 <= j - dx < x.shape[2]:
                    result[b, i, j] = x[b, i - dy, j - dx]
    return result


def numpy_cut_out(x, rows, columns):
    result = x.copy()
    for b, (row, column) in enumerate(zip(rows, columns, strict=True)):
        top, left = row - 3, column - 2  # half of 12 and of 10 is 6 by 5, from the middle
        result[b, max(top, 0) : max(top + 6, 0), max(left, 0) : max(left + 5, 0)] = 0
    return result


def test_each_change_equals_numpy():
    amounts = RNG.uniform(0.2, 1.5, (3, 5)).astype(np.float32)
    expected = numpy_colour(IMAGES, *amounts)
    np.testing.assert_allclose(jitter_colour(IMAGES, *amounts), expected, atol=1e-5)
    down, right = np.array([0, 3, -2, 12, -11]), np.array([1, -4, 0, 2, 9])
    made = shift(tf.constant(IMAGES), tf.constant(down), tf.constant(right))
    np.testing.assert_array_equal(made, numpy_shift(IMAGES, down, right))
    rows, columns = np.array([0, 5, 11, 6, 2]), np.array([0, 9, 3, 5, 7])
    made = cut_out(tf.constant(IMAGES), tf.constant(rows), tf.constant(columns))
    np.testing.assert_array_equal(made, numpy_cut_out(IMAGES, rows, columns))


def test_the_draws_stay_within_the_papers_bounds():
    flat = np.zeros((400, 16, 16, 3), np.float32)
    colour = DiffAugment("color")(flat, seed()).numpy()[:, 0, 0, 0]
    assert 0.45 < np.abs(colour).max() <= 0.5
    one = np.zeros((400, 16, 16, 1), np.float32)
    one[:, 8, 8] = 1.0
    moved = DiffAugment("translation")(one, seed()).numpy()[..., 0]
    places = np.array([np.argwhere(picture == 1.0)[0] for picture in moved]) - 8
    assert (places.min(0) == -2).all()  # an eighth of 16
    assert (places.max(0) == 2).all()
    covered = DiffAugment("cutout")(flat + 1, seed()).numpy()[..., 0] == 0
    assert covered.any(2).sum(1).max() == covered.any(1).sum(1).max() == 8  # half of 16


@pytest.mark.parametrize("policy", ["color", "translation", "cutout", EVERYTHING])
def test_gradients_equal_central_differences(policy):
    layer = DiffAugment(policy)
    weights = RNG.normal(size=(2, 6, 5, 3))
    images = IMAGES[:2, :6, :5].astype(np.float64)

    changed = tf.function(lambda x: layer(x, seed(2)))

    def value(x):
        return float(np.sum(np.asarray(changed(tf.constant(x)), np.float64) * weights))

    with tf.GradientTape() as tape:
        x = tf.constant(images)
        tape.watch(x)
        total = tf.reduce_sum(layer(x, seed(2)) * weights)
    gradient = tape.gradient(total, x).numpy()
    expected = np.zeros_like(images)
    for place in np.ndindex(images.shape):
        step = np.zeros_like(images)
        step[place] = 1e-3
        expected[place] = (value(images + step) - value(images - step)) / 2e-3
    np.testing.assert_allclose(gradient, expected, atol=1e-4)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_the_same_seed_changes_alike_under_any_policy_and_in_either_range(policy):
    keras.config.set_dtype_policy(policy)
    layer = DiffAugment(EVERYTHING)
    eager = layer(IMAGES, seed())
    assert eager.dtype == tf.float32
    graph = tf.function(layer)(tf.constant(IMAGES), seed())
    np.testing.assert_allclose(graph, eager, atol=1e-5)
    assert np.abs(layer(IMAGES, seed(1)) - eager).max() > 0.1
    zero_one = DiffAugment(EVERYTHING, value_range=(0, 1))((IMAGES + 1) / 2, seed())
    np.testing.assert_allclose(np.asarray(zero_one) * 2 - 1, eager, atol=1e-5)


@pytest.mark.slow
def test_xla_changes_alike_with_the_same_gradient():
    layer = DiffAugment(PIPE, target=0.6)
    layer.probability.assign(0.7)

    def gradient(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                changed = layer(x, seed())
                loss = tf.reduce_sum(changed**2)
            first = inner.gradient(loss, x)
            penalty = tf.reduce_sum(first**2)
        return changed, first, outer.gradient(penalty, x)

    eager = gradient(tf.constant(IMAGES))
    for one, other in zip(tf.function(gradient, jit_compile=True)(IMAGES), eager, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.slow
def test_two_replicas_change_their_halves_as_one_device_the_whole(two_replicas):
    with two_replicas.scope():
        layer = DiffAugment(PIPE, target=0.6, adapt_images=10)
    half = len(IMAGES) // 2

    @tf.function
    def step():
        def one():
            first = tf.distribute.get_replica_context().replica_id_in_sync_group * half
            layer.adapt(tf.constant(1.0), 4)
            return layer(tf.constant(IMAGES)[first : first + half], seed())

        return two_replicas.run(one)

    alone = DiffAugment(PIPE, target=0.6, adapt_images=10)
    alone.adapt(tf.constant(1.0), 4)
    parts = np.concatenate(two_replicas.experimental_local_results(step()))
    np.testing.assert_allclose(parts, alone(IMAGES[: 2 * half], seed()), atol=1e-6)
    assert np.abs(parts - IMAGES[: 2 * half]).max() > 0.1


def test_the_pipes_first_and_second_gradients_equal_those_of_its_dense_matrix():
    """A change is x -> A x + b; A and b are read from images with one pixel each."""
    draw = PerImage(tf.constant([5, 5], tf.int32), 1)
    places = geometry.draw_matrices(geometry.NAMES, (5, 4), draw, 1.0)
    colours = colour.draw_matrices(colour.NAMES, draw, 1.0)

    def change(images):
        count = len(images)
        moved = geometry.resample(images, tf.repeat(places, count, axis=0))
        return colour.recolour(moved, tf.repeat(colours, count, axis=0))

    basis = np.concatenate([np.eye(60), np.zeros((1, 60))]).reshape(61, 5, 4, 3)
    columns = change(tf.constant(basis, tf.float32)).numpy().reshape(61, 60).astype(float)
    a, b = (columns[:-1] - columns[-1]).T, columns[-1]
    image = tf.constant(IMAGES[:1, :5, :4])

    def gradients(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                total = tf.reduce_sum(tf.tanh(change(x)))
            first = inner.gradient(total, x)
            penalty = tf.reduce_sum(first**2)
        return first, outer.gradient(penalty, x)

    made = a @ image.numpy().ravel().astype(float) + b
    slope = 1 - np.tanh(made) ** 2
    first = a.T @ slope
    second = a.T @ (-2 * np.tanh(made) * slope * (a @ (2 * first)))
    for received, expected in zip(gradients(image), (first, second), strict=True):
        np.testing.assert_allclose(received.numpy().ravel(), expected, rtol=1e-3, atol=1e-3)


def test_the_strength_follows_the_sign_of_the_logits():
    layer = DiffAugment(EVERYTHING, target=0.6, adapt_images=100)
    np.testing.assert_allclose(layer(IMAGES, seed()), IMAGES, atol=1e-6)  # it starts at 0
    for expected in (0.1, 0.2):
        layer.adapt(tf.constant(1.0), 10)  # all signs positive: 1 is above 0.6
        assert float(layer.probability) == pytest.approx(expected)
    layer.adapt(tf.constant(0.4), 10)
    assert float(layer.probability) == pytest.approx(0.1)
    layer.adapt(tf.constant(np.nan), 10)
    assert float(layer.probability) == pytest.approx(0.1)
    for _ in range(3):
        layer.adapt(tf.constant(-1.0), 10)
    assert float(layer.probability) == 0.0
    layer.probability.assign(0.5)
    many = np.repeat(IMAGES[:1], 400, axis=0)
    made = DiffAugment.from_config(layer.get_config() | {"policy": "cutout"})
    made.probability.assign(0.5)
    share = (np.abs(made(many, seed()) - many).max((1, 2, 3)) > 1e-3).mean()
    assert 0.4 < share < 0.6


def test_an_own_probability_holds_until_it_is_assigned():
    layer = DiffAugment("luma_flip", probability=0.5, name="half")
    many = np.repeat(IMAGES[:1], 400, axis=0)

    def share():
        return (np.abs(layer(many, seed()) - many).max((1, 2, 3)) > 1e-3).mean()

    assert 0.15 < share() < 0.35  # of those half, every second
    layer.probability.assign(0.0)
    assert share() == 0
    config = layer.get_config()
    assert config["probability"] == 0.5
    del config["probability"]  # of a version before
    assert float(DiffAugment.from_config(config).probability) == 1.0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_images_take_the_pipe(dtype):
    layer = DiffAugment("bgc")
    expected = layer(IMAGES, seed()).numpy()
    made = layer(tf.cast(IMAGES, dtype), seed())
    assert made.dtype == dtype
    tolerance = {"float16": 1e-2, "bfloat16": 8e-2}[dtype]  # some units of the last place
    np.testing.assert_allclose(tf.cast(made, tf.float32), expected, atol=tolerance)


def test_the_pipes_changes_are_one_resampling_and_one_matrix_in_any_order():
    one, other = (DiffAugment(policy)(IMAGES, seed()) for policy in ("bgc", "hue,bgc"))
    assert np.abs(one - other).max() > 0.1  # colours first, which draw first
    grey = IMAGES[..., :1]
    one, other = (
        DiffAugment(policy)(grey, seed())
        for policy in ("scale,cutout,rotation", "rotation,scale,cutout")
    )
    np.testing.assert_array_equal(one, other)


def test_the_step_augments_real_and_fake_and_teaches_through_it(small_gan, real_images):
    small_gan.compile(diff_augment=EVERYTHING)
    seen = []
    layer, call = small_gan.diff_augment, small_gan.diff_augment.call
    layer.call = lambda images, seed: seen.append((images, seed)) or call(images, seed)
    before = [w.numpy() for w in small_gan.generator.trainable_weights]
    small_gan.train_step(tf.constant(real_images[:8]))
    seeds = [tuple(s.numpy()) for _, s in seen]
    assert len(seeds) == len(set(seeds)) == 3  # real, fake, and the generator's fakes
    np.testing.assert_array_equal(seen[0][0], real_images[:8])
    for old, new in zip(before, small_gan.generator.trainable_weights, strict=True):
        assert np.abs(new.numpy() - old).max() > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "policy"),
    [("bce", EVERYTHING), ("wasserstein", EVERYTHING), ("relativistic", "bgc,cutout")],
)
def test_it_trains_with_penalties_and_shows_its_strength(
    small_gan, real_images, loss, policy, tmp_path
):
    adaptive = DiffAugment(policy, target=0.6, adapt_images=64)
    small_gan.compile(loss, diff_augment=adaptive, d_update="sequential")
    small_gan.discriminator.get_layer("logits").bias.assign([50.0])  # sure of everything
    history = small_gan.fit(real_images, batch_size=16, epochs=1, verbose=0).history
    assert np.isfinite(list(history.values())).all()
    assert float(adaptive.probability) == pytest.approx(1.0)
    assert history["augment_probability"] == [pytest.approx((0.25 + 0.5 + 0.75 + 1) / 4)]
    small_gan.save(tmp_path / "gan.keras")
    again = kgan.load_gan(tmp_path / "gan.keras")
    assert float(again.diff_augment.probability) == pytest.approx(1.0)
    assert again.diff_augment.get_config() == adaptive.get_config()
    still = kgan.load_gan(tmp_path / "gan.keras", compile=False)
    np.testing.assert_array_equal(still.generate(2), small_gan.generate(2))


@pytest.mark.parametrize("policy", ["color", ",".join(colour.NAMES)])
def test_colours_change_as_without_alpha_which_stays(policy):
    alpha = RNG.uniform(-1, 1, (5, 12, 10, 1)).astype(np.float32)
    layer = DiffAugment(policy)
    made = layer(np.concatenate([IMAGES, alpha], axis=-1), seed(1)).numpy()
    np.testing.assert_allclose(made[..., :3], layer(IMAGES, seed(1)), atol=1e-6)
    np.testing.assert_allclose(made[..., 3:], alpha, atol=1e-6)
    assert np.abs(made[..., :3] - IMAGES).max() > 0.1


def test_alpha_moves_with_its_picture():
    four = np.concatenate([IMAGES, IMAGES[..., :1]], axis=-1)
    made = DiffAugment(f"translation,cutout,{','.join(geometry.NAMES)}")(four, seed(2)).numpy()
    np.testing.assert_allclose(made[..., 3], made[..., 0], atol=1e-6)
    assert np.abs(made - four).max() > 0.1


@pytest.mark.parametrize("channels", [2, 5, 8])
def test_channels_that_are_no_colours_are_changed_as_grey(channels):
    images = RNG.uniform(-1, 1, (5, 6, 7, channels)).astype(np.float32)
    pipe = DiffAugment(",".join(colour.NAMES))
    made = pipe(images, seed(3)).numpy()
    for place in range(channels):
        alone = pipe(images[..., place : place + 1], seed(3))
        np.testing.assert_allclose(made[..., place : place + 1], alone, atol=1e-5)
    amounts = RNG.uniform(0.2, 1.5, (3, 5)).astype(np.float32)
    amounts[1] = 1.0  # there is no saturation
    expected = numpy_colour(images, *amounts)
    amounts[1] = 0.3
    np.testing.assert_allclose(jitter_colour(images, *amounts), expected, atol=1e-5)


def test_mistakes_are_named(small_gan):
    with pytest.raises(kgan.InputError, match=r"some of color, translation.* Received: 'colour'"):
        small_gan.compile(diff_augment="colour")
    with pytest.raises(kgan.InputError, match=r"between -1 and 1\. Received: 2"):
        DiffAugment(target=2)
    with pytest.raises(kgan.InputError, match=r"at least 1\. Received: 0"):
        DiffAugment(adapt_images=0)
    with pytest.raises(kgan.InputError, match=r"from 0 to 1\. Received: 1\.5"):
        DiffAugment(probability=1.5)
    with pytest.raises(kgan.InputError, match=r"give one of them\. .* probability=0\.5"):
        DiffAugment(target=0.6, probability=0.5)
    with pytest.raises(kgan.InputError, match=r"at least 2x2 pixels\. Received: 1x4"):
        DiffAugment("scale")(np.zeros((1, 1, 4, 1), np.float32), seed())
