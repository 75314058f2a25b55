"""The battery of `tests.models.battery` over every network class."""

import pytest

from kgan import models
from kgan.models.networks import Network
from tests.metrics.weights import installed
from tests.models.battery import run_network_test
from tests.tiers import tiered

# Only a factor that starts at zero leads to these: self-attention's gamma, and the last
# convolution of a residual block.
ATTENTION = tuple(
    f"{name}_norm/{name}/{kind}"
    for name in ("query", "key", "value")
    for kind in ("kernel", "bias")
)
BLOCK = ("_expand/kernel", "_first_bias/bias", "_mix/kernel", "_second_bias/bias")
# A softmax over the keys does not see what they all have in common.
KEY_BIAS = ("key_norm/key/bias",)
# What a projection of the labels on the features computes in float32.
PROJECTION = ("realness", "pooled", "agreement")

LATENTS = {"latent_dim": 5}
CLASSES = {"num_classes": 3}
ATTRIBUTES = {"attribute_ranges": ((0.0, 1.0), (-2.0, 3.0))}
# Of FastGAN's decoders, which give images back and no logits.
DECODER = tuple(
    f"decode_{kind}_{end}"
    for kind in ("whole", "part")
    for end in (
        *("0_conv_0/kernel", "0_0_norm/gamma", "0_0_norm/beta"),
        *("1_conv_0/kernel", "1_0_norm/gamma", "1_0_norm/beta"),
        "to_image/kernel",
    )
)
# family -> (smallest shape, filters, what `run_network_test` must know of the generator
# and of the discriminator)
FAMILIES = {
    "MLP": ((4, 6, 3), 2, {"float32_layers": ("intensities",)}, {}),
    "DCGAN": ((16, 28, 1), 2, {}, {}),
    "DCGAN512": ((16, 32, 1), 1, {}, {}),
    "DCGANK4": ((8, 12, 3), 2, {}, {"float32_layers": ("judge",)}),
    "DCGANUpsample": ((16, 20, 1), 4, {}, {}),
    # The normalisation that follows subtracts the bias of the projection again.
    "DCGANTanh": ((16, 20, 1), 2, {"cancelled": ("project/bias",)}, {}),
    "SAGAN": (
        (8, 12, 1),
        8,
        {"behind_zero": ATTENTION, "cancelled": KEY_BIAS},
        {
            "behind_zero": ATTENTION,
            "cancelled": KEY_BIAS,
            "float32_layers": ("spectral_judge",),
        },
    ),
    "R3GAN": (
        (8, 12, 1),
        8,
        {"behind_zero": BLOCK, "float32_layers": ("up_8x12",)},
        {"behind_zero": BLOCK, "float32_layers": ("features",)},
    ),
    "FastGAN": (
        (32, 40, 1),
        8,
        {},
        {"cancelled": DECODER, "float32_layers": ("spectral_logit_map", "mean")},
    ),
}
# Of a conditional discriminator.
CONDITIONAL_FLOAT32 = {
    "DCGAN": (*PROJECTION, "classes"),
    "SAGAN": (*PROJECTION, "spectral_classes"),
    "R3GAN": ("directions", "classes"),
}
OF_ATTRIBUTES = {"classes": "of_attributes", "spectral_classes": "spectral_of_attributes"}


def cases():
    """{name of the case: (network class, its arguments, options of `run_network_test`)}."""
    linear = {"image_shape": (4, 6, 3), **LATENTS}
    conv = {"image_shape": (8, 12, 1), "filters": 4}
    found = {
        "linear encoder": (models.LinearEncoder, linear, {"output_shape": (5,)}),
        "linear decoder": (models.LinearDecoder, linear, {"output_shape": (4, 6, 3)}),
        "conv encoder": (models.ConvEncoder, conv, {"output_shape": (2, 3, 2)}),
        "conv decoder": (models.ConvDecoder, conv, {"output_shape": (8, 12, 1)}),
    }
    found["latent encoder"] = (
        models.LatentEncoder,
        {"image_shape": (8, 12, 1), "filters": 2, "training": {"steps": 3}, **LATENTS},
        {"output_shape": (5,)},
    )
    for family, (shape, filters, of_generator, of_discriminator) in FAMILIES.items():
        generator = getattr(models, f"{family}Generator")
        discriminator = getattr(models, f"{family}Discriminator")
        of_generator = {"output_shape": shape, **of_generator}
        of_discriminator = {"output_shape": (1,), **of_discriminator}
        sizes = {"image_shape": shape, "filters": filters}
        found[f"{family} generator"] = (generator, sizes | LATENTS, of_generator)
        found[f"{family} discriminator"] = (discriminator, sizes, of_discriminator)
        if family in CONDITIONAL_FLOAT32:
            float32 = of_discriminator.get("float32_layers", ()) + CONDITIONAL_FLOAT32[family]
            found[f"conditional {family} generator"] = (
                generator,
                sizes | LATENTS | CLASSES,
                of_generator,
            )
            found[f"conditional {family} discriminator"] = (
                discriminator,
                sizes | CLASSES,
                of_discriminator | {"float32_layers": float32},
            )
    for family in CONDITIONAL_FLOAT32:
        for role in ("generator", "discriminator"):
            network_class, arguments, options = found[f"conditional {family} {role}"]
            sizes = {name: value for name, value in arguments.items() if name != "num_classes"}
            float32 = tuple(OF_ATTRIBUTES.get(n, n) for n in options.get("float32_layers", ()))
            options = options | {"float32_layers": (*float32, "attributes")}
            found[f"{family} {role} of attributes"] = (network_class, sizes | ATTRIBUTES, options)
    found["projected discriminator"] = (
        models.ProjectedDiscriminator,
        {"image_shape": (16, 20, 1), "filters": 2},
        {
            "output_shape": (4 * 5 * 7,),
            "float32_layers": (
                "enlarge",
                *(
                    name.format(index)
                    for index in range(4)
                    for name in ("spectral_judge_{}_logits", "judge_{}_flat", "enlarge_{}")
                ),
            ),
        },
    )
    for family in ("DCGAN", "DCGAN512", "DCGANUpsample"):
        network_class, sizes, of_discriminator = found[f"{family} discriminator"]
        sizes = sizes | {"minibatch_stddev": True}
        found[f"{family} discriminator with stddev"] = (network_class, sizes, of_discriminator)
    return found


CASES = cases()


def is_short(name):
    if "SAGAN" in name or name.startswith("projected") or name == "FastGAN discriminator":
        return False
    return not name.endswith("stddev") or name.startswith("DCGAN d")


@pytest.mark.parametrize("case", tiered(CASES, is_short))
def test_battery(case):
    network_class, init_kwargs, options = CASES[case]
    if network_class is models.ProjectedDiscriminator and not installed():
        pytest.skip("kgan[metrics] is not installed")
    run_network_test(network_class, init_kwargs, **options)


def test_every_network_class_has_a_case():
    public = [getattr(models, name) for name in models.__all__]
    networks = {item for item in public if isinstance(item, type) and issubclass(item, Network)}
    assert {network_class for network_class, _, _ in CASES.values()} == networks
