"""`GAN`: a generator and a discriminator as one keras.Model with the adversarial train step."""

import keras
import tensorflow as tf

from kgan import latents as latent_law
from kgan.errors import InputError
from kgan.images import check_range
from kgan.labels import check_class_names
from kgan.layers import DiffAugment
from kgan.losses import LOSSES, get_loss
from kgan.models.networks import check_positive
from kgan.models.presets import Preset, adam, get_preset, make_networks
from kgan.training import adversarial_step, replicas
from kgan.training.averaging import Averaged, check_half_life
from kgan.training.calibration import Calibrated
from kgan.training.draws import Draws
from kgan.training.generating import sample
from kgan.training.guarded_update import WHERE_THEY_ARE, Updates, ready_optimizer
from kgan.training.network_checks import (
    check_networks,
    classes_of,
    computes_in_float16,
    output_range,
)
from kgan.training.two_networks import NetworkPair


@keras.saving.register_keras_serializable(package="kgan")
class GAN(Calibrated, Averaged, Draws, NetworkPair):
    """A generative adversarial network that `fit` trains on batches of real images.

    Each step draws latents, makes fakes and updates the discriminator from the
    losses of a real and a fake batch that went through it separately; then it
    draws latents anew and updates the generator through the frozen
    discriminator. Called as a model it maps latents to images, with the
    averaged weights where there are any.

    A conditional GAN's networks take int labels (B,) as a second input, its
    batches are (images, labels), and each fake has the label of a real image.

    Args:
        generator: built Keras model, (B, latent_dim) -> images (B, H, W, C).
        discriminator: built Keras model, images (B, H, W, C) -> logits (B, 1).
        preset: name of the preset whose losses and optimizers `compile` takes
            when it is given none; None for `bce` and Adam(2e-4, beta_1=0.5).
        latent_distribution: "normal" for N(0, 1) or "uniform" for U(-1, 1).
        value_range: (low, high) of the generator's images; None to read it off
            its last activation: sigmoid is (0, 1), all else (-1, 1).
        num_classes: classes of a conditional GAN; None for the generator's own
            attribute of that name, if it has one.
        class_names: a name a class, for people; None for none.
        ema_half_life_images: half-life of an exponential moving average of the
            generator, in real images seen; `generate`, `predict` and exports
            then use it. None or 0 for no average. It starts from the generator
            as it is here: give the generator weights of your own before.
        seed: int that the latents drawn in training start from; None for a random one.

    Raises:
        InputError: networks that do not fit together, an unknown preset or distribution.

    Reference:
        Goodfellow et al. 2014, algorithm 1, https://arxiv.org/abs/1406.2661
    """

    kind = "gan"
    roles = ("generator", "discriminator")

    def __init__(
        self,
        generator,
        discriminator,
        *,
        preset=None,
        latent_distribution="normal",
        value_range=None,
        num_classes=None,
        class_names=None,
        ema_half_life_images=None,
        seed=None,
        name=None,
    ):
        super().__init__(name=name)
        self.latent_dim, self.image_shape, conditional = check_networks(generator, discriminator)
        if preset is not None:
            get_preset(preset, Preset)
        self.num_classes = classes_of(generator, conditional, num_classes)
        self.class_names = check_class_names(class_names, self.num_classes)
        self.generator = generator
        self.discriminator = discriminator
        self.preset = preset
        self.latent_distribution = latent_law.check_distribution(latent_distribution)
        self.value_range = check_range(
            "value_range", output_range(generator) if value_range is None else value_range
        )
        self.seed = seed if seed is None else latent_law.check_seed(seed)

        self.ema_half_life_images = self.ema_generator = None
        if check_half_life(ema_half_life_images):
            self._average(ema_half_life_images)

        # An attribute, so that Keras tracks its state; own_variables saves it.
        self.seed_generator = keras.random.SeedGenerator(seed)
        # Of its own, so that evaluating between epochs does not change what training draws.
        self.evaluation_seed_generator = keras.random.SeedGenerator(
            None if seed is None else seed + 1
        )
        self.batches_seen = self.add_weight(
            shape=(), initializer="zeros", dtype="int64", trainable=False, name="batches_seen"
        )
        self.calibrated_at = self.add_weight(
            shape=(), initializer="zeros", dtype="int64", trainable=False, name="calibrated_at"
        )
        # A sequential training updates the discriminator twice a step: each has its own streak.
        self.updates = Updates((*self.roles, "discriminator_second"))
        # fit under a strategy would otherwise call the model on a batch of images to build it.
        self.built = True

    @classmethod
    def from_preset(
        cls,
        preset,
        *,
        image_shape=None,
        latent_dim=None,
        filters=None,
        num_classes=None,
        class_names=None,
        ema_half_life_images=None,
        seed=None,
    ):
        """A GAN with a preset's networks; each argument left None takes the preset's own.

        Args:
            preset: a name in `kgan.models.PRESETS`.
            image_shape: (H, W, C).
            latent_dim: length of a latent vector.
            filters: width unit of both networks.
            num_classes, class_names: for a conditional GAN.
            ema_half_life_images: 0 for no average.
            seed: int that the latents drawn in training start from.

        Raises:
            InputError: an unknown preset, or a size that the preset cannot make.
        """
        chosen = get_preset(preset, Preset)
        if num_classes is None and class_names is not None:
            num_classes = len(class_names)
        if ema_half_life_images is None:
            ema_half_life_images = chosen.ema_half_life_images
        return cls(
            **make_networks(
                preset,
                image_shape=image_shape,
                latent_dim=latent_dim,
                filters=filters,
                num_classes=num_classes,
            ),
            preset=preset,
            latent_distribution=chosen.latent_distribution,
            class_names=class_names,
            ema_half_life_images=ema_half_life_images,
            seed=seed,
        )

    def compile(
        self,
        loss=None,
        g_optimizer=None,
        d_optimizer=None,
        *,
        d_steps=1,
        d_update="joint",
        diff_augment=None,
        jit_compile="auto",
        run_eagerly=False,
        steps_per_execution=1,
    ):
        """Chooses losses and optimizers; those left None are the preset's.

        Under a float16 policy both optimizers are wrapped in Keras's dynamic
        LossScaleOptimizer.

        Args:
            loss: a name in `kgan.losses.LOSSES`; a `kgan.losses.AdversarialLoss`,
                to set penalties or label smoothing; or a pair of callables
                (generator_loss(fake_logits), discriminator_loss(real_logits, fake_logits)).
            g_optimizer, d_optimizer: Keras optimizers or their names; two different objects.
            d_steps: discriminator updates per generator update, one batch of
                real images each.
            d_update: "joint" for one discriminator update from the summed loss,
                "sequential" for one from the fake batch, then one from the real batch.
            diff_augment: a `kgan.layers.DiffAugment`, or its policy such as
                "color,translation,cutout", that changes all the pictures the
                discriminator sees; None for none.
            jit_compile, run_eagerly, steps_per_execution: as in Keras.

        Raises:
            InputError: an unknown loss or `d_update`, `d_steps` below 1, or one
                optimizer given for both networks.
        """
        preset = get_preset(self.preset) if self.preset else None
        if preset and loss in (None, preset.loss):
            loss = LOSSES[preset.loss](**preset.loss_options)
        self.adversarial_loss = get_loss(loss or "bce")
        self.diff_augment = self._ready_diff_augment(diff_augment)
        adapts = self.diff_augment is not None and self.diff_augment.target is not None
        self.updates.shown = {
            name
            for name, there in (
                ("penalty", self.adversarial_loss.has_penalty),
                ("augment_probability", adapts),
            )
            if there
        }
        check_positive(d_steps=d_steps)
        if d_update not in adversarial_step.TURNS:
            raise InputError(
                f"d_update must be one of {', '.join(adversarial_step.TURNS)}. "
                f"Received: {d_update!r}"
            )
        if isinstance(g_optimizer, keras.optimizers.Optimizer) and g_optimizer is d_optimizer:
            raise InputError(
                "g_optimizer and d_optimizer must be two optimizers: each keeps the state of one "
                f"network. Received the same object twice: {g_optimizer!r}"
            )
        super().compile(
            optimizer=None,
            jit_compile=jit_compile,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            auto_scale_loss=False,
        )
        scale = computes_in_float16(self.generator, self.discriminator)
        for name, network, optimizer in (
            ("g_optimizer", self.generator, g_optimizer),
            ("d_optimizer", self.discriminator, d_optimizer),
        ):
            if optimizer is None:
                optimizer = getattr(preset, name) if preset else adam(2e-4, 0.5)
            with self.distribute_strategy.scope():
                setattr(self, name, ready_optimizer(optimizer, network, scale))
        self.d_steps = d_steps
        self.d_update = d_update
        self._compile_arguments = {
            "loss": self.adversarial_loss,
            "d_steps": d_steps,
            "d_update": d_update,
            "diff_augment": self.diff_augment,
            "jit_compile": jit_compile,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
        }

    def _ready_diff_augment(self, diff_augment):
        if diff_augment is None or isinstance(diff_augment, DiffAugment):
            return diff_augment
        with self.distribute_strategy.scope():
            return DiffAugment(diff_augment, value_range=self.value_range)

    @property
    def metrics(self):
        return self.updates.metrics

    def call(self, inputs, training=False):
        if training:
            return self.generator(inputs, training=True)
        return self.inference_generator(inputs, training=False)

    def train_step(self, data):
        real_images, labels = adversarial_step.unpack(self, data)
        # A dataset of unknown length ends inside a call of this function; without the
        # dependency that last call, though it has no batch, would draw latents and count.
        with tf.control_dependencies([real_images]):
            adversarial_step.discriminator_step(self, real_images, labels)
            self.batches_seen.assign_add(1)
            if self.d_steps == 1:
                adversarial_step.generator_step(self, real_images, labels)
            else:
                replicas.either(
                    tf.equal(self.batches_seen % self.d_steps, 0),
                    lambda: adversarial_step.generator_step(self, real_images, labels),
                    lambda: None,
                )
            return self.logs()

    def test_step(self, data):
        """Losses and mean logits on held-out images in inference mode; nothing is trained."""
        adversarial_step.evaluation_step(self, *adversarial_step.unpack(self, data))
        figures = self.logs()
        return {name: value for name, value in figures.items() if name not in WHERE_THEY_ARE}

    def generate(self, n, seed=0, labels=None, nice=1, batch_size=64):
        """Makes pictures; picture i has the seed `seed + i`.

        Args:
            n: number of pictures.
            seed: int >= 0, the first picture's seed.
            labels: of a conditional GAN, one class for all or n of them; None
                for each picture's seed modulo the number of classes.
            nice: makes `nice * n` pictures and keeps the n that the
                discriminator finds most real, best first (with classes, the
                best for each label, in order); 1 keeps all, in order.
            batch_size: pictures made at a time; it does not change them.

        Returns:
            uint8 array (n, H, W, C).

        Raises:
            InputError: `n`, `nice` or `batch_size` below 1, a negative seed, or
                labels that do not fit.
        """
        return sample(self, n, seed, labels, nice, batch_size)[0]

    def arguments(self):
        return {
            "preset": self.preset,
            "latent_distribution": self.latent_distribution,
            "value_range": self.value_range,
            "num_classes": self.num_classes,
            "class_names": self.class_names,
            "ema_half_life_images": self.ema_half_life_images,
            "seed": self.seed,
        }

    def get_compile_config(self):
        if not self.compiled:
            return {}
        optimizers = {"g_optimizer": self.g_optimizer, "d_optimizer": self.d_optimizer}
        return keras.saving.serialize_keras_object(self._compile_arguments | optimizers)

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))
