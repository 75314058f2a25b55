"""`GAN`: a generator and a discriminator as one keras.Model with the adversarial train step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Never

import keras
import numpy as np
import tensorflow as tf

from kgan.attributes import Attributes
from kgan.labels import Condition, check_attributes
from kgan.latents import check_distribution, check_seed
from kgan.layers import DiffAugment, draws
from kgan.losses import AdversarialLoss
from kgan.models.presets import Preset, get_preset, make_networks
from kgan.names import with_other_discriminator
from kgan.training import (
    adversarial_step,
    averaging,
    batches,
    compiling,
    freezing,
    network_checks,
    network_probes,
)
from kgan.training.calibration import calibrate
from kgan.training.cosine import Cosine
from kgan.training.evaluation_step import evaluate
from kgan.training.generating import sample
from kgan.training.guarded_update import WHERE_THEY_ARE, Updates
from kgan.training.optimizers import TwoOptimizers
from kgan.training.schedules import begin_rates, figures, of_preset
from kgan.training.two_networks import TwoNetworks


@keras.saving.register_keras_serializable(package="kgan")
class GAN(TwoNetworks):
    """A generative adversarial network that `fit` trains on batches of real images.

    Each step draws latents, makes fakes and updates the discriminator from the losses of a real
    and a fake batch that went through it separately; then it draws latents again (`compile` can
    say not to) and updates the generator through the frozen discriminator. Called as a model it
    maps latents to images, with the averaged weights where there are any. A conditional GAN's
    networks take labels as a second input, classes, int (B,), or attributes, float (B, k), its
    batches are (images, labels), and each fake has the label of a real image.

    Args:
        generator: built Keras model, (B, latent_dim) -> images (B, H, W, C).
        discriminator: built Keras model, images (B, H, W, C) -> logits (B, 1), or (B, N) where it
            says `gives_several_logits = True`. On real images it may have a task too:
            `logits_and_own_loss(images, int seed (2,), training)`.
        preset: name of the preset whose losses and optimizers `compile` takes when it is given
            none; None for `bce` and Adam(2e-4, beta_1=0.5).
        latent_distribution: "normal" for N(0, 1) or "uniform" for U(-1, 1).
        value_range: (low, high) of the generator's images; None to read it off its last
            activation (sigmoid (0, 1); tanh, or none at all, (-1, 1)), or to try the network.
        num_classes, class_names: of a GAN of classes; None for the generator's own, and none.
        attributes: the `kgan.Attributes` of a GAN of attributes, such as a source's; None for none.
        ema_half_life_images: half-life of an exponential moving average of the generator, in real
            images seen, for `generate`, `predict` and exports. None or 0 for none.
        seed: int that the latents drawn in training start from; None for a random one.

    Raises:
        InputError: networks that do not fit together, an unknown preset or distribution, a range
            that is not clear.

    Reference:
        Goodfellow et al. 2014, algorithm 1, https://arxiv.org/abs/1406.2661
    """

    kind = "gan"
    roles: ClassVar = ("generator", "discriminator")
    compiled_before: ClassVar = {"d_share": 1.0, "schedules": {}}
    counts_since: ClassVar = ("2", "3", "4")  # images_seen and those of schedules

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        preset: str | None = None,
        latent_distribution: Literal["normal", "uniform"] = "normal",
        value_range: tuple[float, float] | None = None,
        num_classes: int | None = None,
        class_names: Sequence[str] | None = None,
        attributes: Attributes | Mapping[str, Any] | None = None,
        ema_half_life_images: float | None = None,
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if preset is not None:
            get_preset(preset, Preset)
        facts = network_checks.facts_of(
            generator, discriminator, num_classes, class_names, attributes, self.makes_pictures
        )
        self.latent_dim, self.image_shape, self.num_classes, self.class_names = facts[:4]
        self.attributes = facts.attributes
        self.generator, self.discriminator, self.preset = generator, discriminator, preset
        self.latent_distribution = check_distribution(latent_distribution)
        self.value_range = network_probes.range_of(generator, value_range)
        self.seed = seed if seed is None else check_seed(seed)
        self.tell_what_is_not_saved()
        network_checks.tell_what_draws(generator)
        self.frozen_d_layers: list[str] = []  # the lowest first
        self.average: averaging.Average | None = None
        self.ema_generator: keras.Model | None = None  # its network, where Keras saves it
        half_life = averaging.check_half_life(ema_half_life_images)
        if half_life is not None:
            self.start_average(half_life, begun_late=False)

        # Evaluating between epochs has its own, and does not change what training draws.
        self.seed_generator = keras.random.SeedGenerator(seed)
        after = None if seed is None else seed + 1
        self.evaluation_seed_generator = keras.random.SeedGenerator(after)
        count = {"shape": (), "initializer": "zeros", "dtype": "int64", "trainable": False}
        self.batches_seen = self.add_weight(name="batches_seen", **count)
        self.calibrated_at = self.add_weight(name="calibrated_at", **count)
        self.images_seen = self.add_weight(name="images_seen", **count)
        self.schedule_images = self.add_weight(name="schedule_images", **count)
        self.schedule_begun = self.add_weight(name="schedule_begun", **count)
        self.planned_steps = tf.Variable(0, dtype=tf.int64, trainable=False)  # of this fit
        self.schedules: dict[str, Cosine] = {}
        # A sequential training updates the discriminator twice per step: each has its own streak.
        self.updates = Updates((*self.roles, "discriminator_second"))
        # fit under a strategy would otherwise call the model on a batch of images to build it.
        self.built = True

    @classmethod
    def from_preset(
        cls,
        preset: str,
        *,
        image_shape: Sequence[int] | None = None,
        latent_dim: int | None = None,
        filters: int | None = None,
        discriminator: Literal["projected"] | None = None,
        latent_distribution: Literal["normal", "uniform"] | None = None,
        num_classes: int | None = None,
        class_names: Sequence[str] | None = None,
        attributes: Attributes | None = None,
        minibatch_stddev: bool = False,
        ema_half_life_images: float | None = None,
        seed: int | None = None,
    ) -> GAN:
        """A GAN with a preset's networks; each argument left None takes the preset's own.

        Args:
            preset: a name in `kgan.models.PRESETS`.
            image_shape, latent_dim, filters: (H, W, C); length of a latent; width of both networks.
            discriminator: "projected" for `kgan.models.ProjectedDiscriminator` in the place of the
                preset's own, with the loss, optimizers and augmentation that belong to it.
            minibatch_stddev: give the discriminator `kgan.layers.MinibatchStdDev`.
            latent_distribution, ...: as for `GAN`; a half-life of 0 for no average.

        Raises:
            InputError: an unknown preset, or a size that the preset cannot make.
        """
        if discriminator is not None:
            preset = with_other_discriminator(preset, discriminator)
        chosen = get_preset(preset, Preset)
        sizes: dict[str, Any] = {"image_shape": image_shape, "latent_dim": latent_dim}
        if class_names is not None and num_classes is None:
            num_classes = len(class_names)
        sizes |= {"num_classes": num_classes, "minibatch_stddev": minibatch_stddev}
        if attributes is not None:
            sizes["attribute_ranges"] = check_attributes(attributes).ranges
        if ema_half_life_images is None:
            ema_half_life_images = chosen.ema_half_life_images
        return cls(
            **make_networks(preset, **sizes, filters=filters),
            preset=preset,
            latent_distribution=latent_distribution or chosen.latent_distribution,
            class_names=class_names,
            attributes=attributes,
            ema_half_life_images=ema_half_life_images,
            seed=seed,
        )

    def compile(
        self,
        loss: str | AdversarialLoss | Sequence[Callable[..., Any]] | None = None,
        g_optimizer: Any = None,
        d_optimizer: Any = None,
        *,
        d_steps: int = 1,
        d_update: Literal["joint", "sequential"] | None = None,
        d_share: float | None = None,
        redraw_latents: bool = True,
        diff_augment: str | DiffAugment | None = None,
        schedules: Mapping[str, Any] | None = None,
        remat: bool = False,
        jit_compile: bool | Literal["auto"] = "auto",
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        **of_keras: Never,
    ) -> None:
        """Chooses losses and optimizers; those left None are the preset's.

        Under a float16 policy both optimizers are wrapped in Keras's LossScaleOptimizer.

        Args:
            loss: a name in `kgan.losses.LOSSES`; a `kgan.losses.AdversarialLoss`, to set
                penalties or label smoothing; or a pair of callables
                (generator_loss(fake_logits), discriminator_loss(real_logits, fake_logits)).
            g_optimizer, d_optimizer: Keras optimizers or their names; two different objects.
            d_steps: discriminator updates per generator update, one real batch each.
            d_update: "joint" for one discriminator update from the summed loss, "sequential" for
                one from the fake batch, then one from the real batch; None for the preset's.
            d_share: share of a batch of real images, and as many fakes, that the discriminator
                learns from; the generator makes a whole batch. None for the preset's, which is 1
                for all but `dcgan_upsample`.
            redraw_latents: False to update the generator from the fakes that the discriminator
                has just learned from, made once a step, which takes less time.
            diff_augment: a `kgan.layers.DiffAugment`, or its policy such as
                "color,translation,cutout", that changes all the images the discriminator sees;
                "none" for none. None for the preset's, which `fastgan` and `r3gan` have.
            schedules: name -> (first, last) or `kgan.training.Cosine`, for learning_rate (also
                g_ and d_), beta_2, r1_gamma, r2_gamma, ema_half_life_images, augment_probability;
                from now on; without images of their own over the first fit. {} for none, None
                for the preset's but for what is passed otherwise.
            remat: True to compute the networks' blocks again in the backward pass instead of
                keeping what is in them: less memory, more time, the same gradients. For networks
                of the functional API.
            jit_compile, run_eagerly, steps_per_execution: as in Keras.

        Raises:
            InputError: an unknown name, `d_steps` below 1, a share that is none, one optimizer
                for both networks, a discriminator that gives probabilities, a network with
                nothing to train, or `optimizer` and `metrics`, which a GAN does not take.
        """
        compiling.check_of_keras(of_keras)
        if not self.is_loading:
            compiling.check_learns(self)
        execution: dict[str, Any] = {"jit_compile": jit_compile, "run_eagerly": run_eagerly}
        execution["steps_per_execution"] = steps_per_execution
        if schedules is None:
            changed = g_optimizer is not None or d_optimizer is not None
            schedules = of_preset(self, loss, changed, diff_augment)
        choices = compiling.ready_choices(
            self, loss, d_steps, d_update, d_share, redraw_latents, diff_augment, schedules, remat
        )
        self.adversarial_loss, self.d_steps, self.d_update, self.d_share = choices[:4]
        self.redraw_latents, self.diff_augment, self.schedules, self.remat = choices[4:]
        self.lecam_anchors = compiling.ready_anchors(self)
        if not self.is_loading:  # schedules begin now
            self.schedule_images.assign(0)
            self.schedule_begun.assign(self.images_seen)
        compiling.check_two_optimizers(g_optimizer, d_optimizer)
        super().compile(optimizer=None, auto_scale_loss=False, **execution)
        self.g_optimizer = compiling.ready_optimizer(g_optimizer, self, "generator")
        self.d_optimizer = compiling.ready_optimizer(d_optimizer, self, "discriminator")
        begin_rates(self)
        self.optimizer = TwoOptimizers(self)
        self._compile_arguments = choices.to_compile() | execution

    def get_compile_config(self) -> dict[str, Any]:
        if not self.compiled:
            return {}
        optimizers = {"g_optimizer": self.g_optimizer, "d_optimizer": self.d_optimizer}
        return keras.saving.serialize_keras_object(self._compile_arguments | optimizers)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return self.updates.metrics

    @property
    def condition(self) -> Condition | None:
        """What its labels are: the number of classes, or the attributes; None without labels."""
        return self.num_classes if self.attributes is None else self.attributes

    @property
    def inference_generator(self) -> keras.Model:
        """The generator that makes what users see: the averaged one where there is one."""
        return self.generator if self.average is None else self.average.network

    @property
    def ema_half_life_images(self) -> float | None:
        """The half-life of the averaged generator; None where there is none."""
        return None if self.average is None else self.average.half_life_images

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        network = self.generator if training else self.inference_generator
        return network(inputs, training=training)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        real_images, labels = batches.check_batch(self, data)
        # A dataset of unknown length ends inside a call of this function; without the
        # dependency that last call, though it has no batch, would draw latents and count.
        with tf.control_dependencies([real_images]):
            self.first_batch.note(real_images)
            adversarial_step.take_step(self, real_images, labels)
            return self.logs() | figures(self)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Losses and mean logits on held-out images in inference mode; nothing is trained."""
        real_images, labels = batches.check_batch(self, data)
        self.first_batch.note(real_images)
        evaluate(self, real_images, labels)
        return {name: v for name, v in self.logs().items() if name not in WHERE_THEY_ARE}

    def draw_latents(self, batch_size: Any, seed_generator: Any = None) -> tf.Tensor:
        """The next training latents, float32 (batch_size, latent_dim); a replica's own rows."""
        seed = (seed_generator or self.seed_generator).next()
        law = draws.symmetric_uniform if self.latent_distribution == "uniform" else draws.normal
        return draws.of_this_replica(lambda n: law(seed, (n, self.latent_dim)), batch_size)

    def calibrate(self) -> None:
        """Sets the statistics that images are made with, if training has gone on since.

        All of kgan that makes images calls it. Call it before you use `generator` or
        `ema_generator` by themselves.
        """
        calibrate(self)

    prepare_inference = calibrate

    def freeze_discriminator(self, n: int) -> None:
        """Trains the discriminator's n lowest layers no more; `compile` comes after.

        See `kgan.training.freezing.freeze_lowest`. Saved files keep it.
        """
        self.frozen_d_layers = freezing.freeze_lowest(
            self.discriminator, n, len(self.frozen_d_layers)
        )
        self.compiled = False

    def start_average(self, half_life_images: float, begun_late: bool = True) -> None:
        """Begins an average that `fit` keeps; see `kgan.training.averaging.start_average`."""
        averaging.start_average(self, half_life_images, begun_late)

    def generate(
        self,
        n: int,
        seed: int = 0,
        labels: Any = None,
        nice: int = 1,
        batch_size: int = 64,
        truncation: float = 1.0,
    ) -> np.ndarray:
        """Makes images, uint8 (n, H, W, C); image i has the seed `seed + i`.

        Args:
            n, seed: number of images; int >= 0, the first image's seed.
            labels: of a conditional GAN, one class for all or n; of attributes a row of numbers
                for all or n, or a dict such as {"smile": 1}; None, and what a dict leaves out,
                as each seed has it: the classes in turn, a row of `attributes`.
            nice: makes `nice * n` images and keeps the n that the discriminator finds most real,
                best first (with labels, the best for each label, in order); 1 keeps all.
            batch_size: images made at a time; it does not change them.
            truncation: as for `kgan.latents.from_seeds`.

        Raises:
            InputError: a number below 1, a negative seed, a truncation or labels that do not fit,
                or a subclass that makes no pictures.
        """
        return sample(self, n, seed, labels, nice, batch_size, truncation)[0]

    def arguments(self) -> dict[str, Any]:
        names = ("preset", "latent_distribution", "value_range", "num_classes", "class_names")
        arguments = {name: getattr(self, name) for name in (*names, "seed")}
        if self.attributes is not None:  # else a kgan that knows none can load it
            arguments["attributes"] = self.attributes.to_config()
        if self.frozen_d_layers:
            arguments["freeze_d"] = len(self.frozen_d_layers)
        return arguments | averaging.config_of(self.average)

    @classmethod
    def from_arguments(
        cls, average_begun: float | None = None, freeze_d: int = 0, **arguments: Any
    ) -> GAN:
        gan = cls(**arguments)
        if freeze_d:
            gan.freeze_discriminator(freeze_d)
        if average_begun:
            gan.start_average(average_begun)
        return gan
