"""The encoder of a generator: it learns, is kept, begins a projection and is delivered."""

import json
import shutil

import numpy as np
import onnxruntime
import pytest
from PIL import Image

import kgan
from kgan import explore
from kgan.cli.main import main
from kgan.errors import InputError
from kgan.explore.encoder_training import encoder_beside, fingerprint, read_encoder
from kgan.images import from_uint8
from kgan.models import LatentEncoder
from kgan.runs.exploring import kept_encoder


@pytest.fixture(scope="module")
def encoder(trained_gan):
    return explore.train_encoder(trained_gan, steps=150, seed=3)


@pytest.fixture(scope="module")
def saved(trained_gan, encoder, tmp_path_factory):
    """A folder with the GAN's file and its encoder's."""
    place = tmp_path_factory.mktemp("models")
    trained_gan.save(place / "gan.keras")
    encoder.save(place / "gan.encoder.keras")
    return place


def psnr(one, two):
    return 10 * np.log10(255**2 / np.mean((one.astype(float) - two) ** 2))


def test_it_finds_latents_that_it_has_not_seen(trained_gan, encoder):
    pictures = trained_gan.generate(64, seed=10_000)
    latents = kgan.latents.from_seeds(range(10_000, 10_064), 8)
    found = np.asarray(encoder(from_uint8(pictures)))
    error = np.mean((found - latents) ** 2)
    assert error < 0.5  # 1 for who answers 0
    assert encoder.training["latent_error"] == pytest.approx(error, abs=0.15)
    assert encoder.training["seed"] == 3
    assert encoder.training["generator"] == fingerprint(trained_gan.generator)


def test_the_same_seed_gives_the_same_encoder(small_gan):
    weights = [
        np.concatenate(
            [w.ravel() for w in explore.train_encoder(small_gan, steps=2, seed=s).get_weights()]
        )
        for s in (1, 1, 2)
    ]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert np.abs(weights[0] - weights[2]).max() > 0.01


def test_its_size_follows_the_pictures():
    convolutions = [
        [layer.filters for layer in LatentEncoder(shape, 4, 2).layers if hasattr(layer, "filters")]
        for shape in ((4, 6, 1), (28, 28, 1), (64, 48, 3), (256, 256, 3))
    ]
    assert convolutions == [[], [2, 4, 8], [2, 4, 8], [2, 4, 8, 16, 16, 16]]
    with pytest.raises(InputError, match="Height and width"):
        LatentEncoder((300, 300, 3))


def test_by_itself_it_gives_its_latents_and_a_descent_goes_on_from_there(trained_gan, encoder):
    pictures = trained_gan.generate(3, seed=70)
    alone = explore.project(trained_gan, pictures, encoder=encoder, starts=1, steps=0)
    latents = np.asarray(encoder(from_uint8(pictures)))
    images = explore.Subject(trained_gan).draw(latents)
    for picture, image, latent, figure in zip(
        pictures, images, latents, alone.figures["pictures"], strict=True
    ):
        np.testing.assert_allclose(figure["latent"], latent, atol=1e-6)
        assert figure["psnr_db"] == pytest.approx(psnr(picture, image), abs=0.05)
        assert figure["encoder"]["psnr_db"] == figure["psnr_db"]
    further = explore.project(trained_gan, pictures, encoder=encoder, starts=2, steps=40)
    for first, then in zip(alone.figures["pictures"], further.figures["pictures"], strict=True):
        assert then["encoder"]["psnr_db"] == pytest.approx(first["psnr_db"])
        assert then["psnr_db"] > first["psnr_db"] + 3
        assert then["encoder"]["best"] == (then["losses"][1] <= then["losses"][0])
    assert further.figures["encoder"]["training"] == encoder.training
    assert further.lines[1].startswith("the encoder by itself: PSNR ")
    assert (
        further.picture.shape[0] > explore.project(trained_gan, pictures, steps=1).picture.shape[0]
    )


def test_of_a_model_of_classes_the_nearest_class_is_taken():
    gan = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 16, 1), latent_dim=4, filters=2, num_classes=3, seed=0
    )
    rng = np.random.default_rng(0)
    for weight in gan.generator.weights:  # classes that differ
        if weight.path.endswith(("gamma", "beta")):
            weight.assign(rng.normal(1.0, 0.5, weight.shape))
    encoder = explore.train_encoder(gan, steps=2)
    pictures = gan.generate(2, seed=3, labels=[2, 0])
    found = explore.project(gan, pictures, encoder=encoder, starts=1, steps=0).figures["pictures"]
    latents = np.asarray(encoder(from_uint8(pictures)))
    of_each = [gan.predict([latents, np.full(2, label)], verbose=0) for label in range(3)]
    for place, figure in enumerate(found):
        errors = [np.mean((each[place] - from_uint8(pictures)[place]) ** 2) for each in of_each]
        assert figure["label"] == np.argmin(errors)
    known = explore.project(gan, pictures, encoder=encoder, starts=1, steps=0, labels=[1, 1])
    assert [figure["label"] for figure in known.figures["pictures"]] == [1, 1]


def test_attributes_are_drawn_too_and_uniform_latents_keep_their_bounds(small_gan):
    rows = np.random.default_rng(0).random((9, 2), np.float32)
    attributes = kgan.Attributes.of(("light", "size"), rows)
    gan = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 16, 1), latent_dim=4, filters=2, attributes=attributes, seed=0
    )
    pictures = gan.generate(1, seed=3)
    encoder = explore.train_encoder(gan, steps=1)
    (found,) = explore.project(gan, pictures, encoder=encoder, starts=2, steps=1).figures[
        "pictures"
    ]
    assert np.shape(found["label"]) == (2,)
    uniform = kgan.GAN(small_gan.generator, small_gan.discriminator, latent_distribution="uniform")
    encoder = explore.train_encoder(uniform, steps=1)
    encoder.get_layer("encode").bias.assign(np.full(8, 9.0))
    assert np.asarray(encoder(np.zeros((1, 16, 20, 1)))).max() <= 1.0
    linear = LatentEncoder((16, 20, 1), 8, 2)
    linear.get_layer("encode").bias.assign(np.linspace(-90.0, 90.0, 8))
    pictures = uniform.generate(1)
    (found,) = explore.project(uniform, pictures, encoder=linear, starts=1, steps=0).figures[
        "pictures"
    ]
    np.testing.assert_array_equal(found["latent"], [-1.0] * 4 + [1.0] * 4)


def test_it_is_trained_once_for_the_same_weights(small_gan, tmp_path):
    told = []
    subject = explore.Subject(small_gan, place=tmp_path)
    first = encoder_beside(subject, 2, 5, told.append)
    again = encoder_beside(subject, None, 6, told.append)
    assert again.training == first.training
    for one, two in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    encoder_beside(subject, 3, 5, told.append)
    weight = small_gan.generator.trainable_variables[0]
    weight.assign(weight + 0.01)
    assert read_encoder(tmp_path / "encoder.keras", small_gan) is None
    encoder_beside(subject, 1, 5, told.append)
    begins = ["training", "a"]
    assert [line.split(" ")[0] for line in told] == [*begins, "the", *begins, *begins]
    assert told[0] == "training an encoder for 2 steps"
    assert "2 steps of 64 pictures drawn, seed 5" in told[2]
    assert list(tmp_path.iterdir()) == [tmp_path / "encoder.keras"]


def test_that_it_cannot_be_kept_is_known_before_it_is_trained(small_gan, tmp_path):
    told = []
    (tmp_path / "encoder.keras").mkdir()
    with pytest.raises(InputError, match="Not an encoder that kgan explore project wrote"):
        encoder_beside(explore.Subject(small_gan, place=tmp_path), 1, 5, told.append)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="Cannot write there"):
        encoder_beside(explore.Subject(small_gan, place=tmp_path / "file"), 1, 5, told.append)
    assert told == []
    assert {path.name for path in tmp_path.iterdir()} == {"encoder.keras", "file"}


@pytest.mark.parametrize("of_it", [{}, {"steps": "2", "batch_size": 64, "seed": 0}])
def test_one_that_does_not_say_how_it_was_trained_is_refused(small_gan, tmp_path, of_it):
    of_it = {"generator": fingerprint(small_gan.inference_generator), "latent_error": 0.5} | of_it
    LatentEncoder((16, 20, 1), 8, 2, training=of_it).save(tmp_path / "encoder.keras")
    with pytest.raises(InputError, match="Not an encoder that kgan explore project wrote"):
        encoder_beside(explore.Subject(small_gan, place=tmp_path))


def test_the_export_delivers_it_as_keras_has_it(trained_gan, encoder, saved, tmp_path, capsys):
    out = tmp_path / "saved_models"
    assert main(["export", str(saved / "gan.keras"), "--onnx", "--out", str(out)]) == 0
    assert "onnx encode: floats within" in capsys.readouterr().out
    place = out / "gan" / "1"
    assert (place / "samples.png").is_file()
    manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["encoder"]["input"]["dtype"] == "uint8"
    assert manifest["encoder"]["output"] == {
        "name": "codes",
        "dtype": "float32",
        "shape": ["batch", 8],
    }
    assert manifest["encoder"]["training"]["steps"] == 150
    assert set(manifest["parity"]) == {"onnx", "onnx encode"}
    session = onnxruntime.InferenceSession(place / "encoder.onnx")
    pictures = np.random.default_rng(0).integers(0, 256, (9, 16, 20, 1), np.uint8)
    for batch in (pictures[:1], pictures):
        (codes,) = session.run(["codes"], {"images": batch})
        expected = np.asarray(encoder(from_uint8(batch)))
        np.testing.assert_allclose(codes, expected, atol=1e-4 * max(1, np.abs(expected).max()))
    generator = kgan.runtime.Generator(place)
    np.testing.assert_array_equal(
        generator.generate(4, seed=2).astype(int) // 2, trained_gan.generate(4, seed=2) // 2
    )
    with pytest.raises(InputError, match="an encoder or a decoder and cannot generate"):
        kgan.runtime.Generator(place / "encoder.onnx")
    assert main(["export", "--inspect", str(place)]) == 0
    said = capsys.readouterr().out
    assert "encoder.onnx, images to codes: latents" in said
    assert "codes float32 (batch, 8)" in said
    assert "encoder.onnx | `images`, uint8" in (place / "README.md").read_text(encoding="utf-8")


def test_one_of_other_weights_is_not_delivered(saved, tmp_path, caplog):
    shutil.copytree(saved, tmp_path / "models")
    path = tmp_path / "models" / "gan.keras"
    gan = kgan.load_gan(path)
    assert kept_encoder(path, gan).training["steps"] == 150
    assert kept_encoder(tmp_path / "other.keras", gan) is None
    assert caplog.text == ""
    weight = gan.generator.trainable_variables[0]
    weight.assign(weight + 0.01)
    assert kept_encoder(path, gan) is None
    assert "gan.encoder.keras is of other weights and is not delivered" in caplog.text
    gan.generator.save(tmp_path / "models" / "gan.encoder.keras")
    with pytest.raises(InputError, match="Not an encoder that kgan explore project wrote"):
        kept_encoder(path, gan)


def test_what_does_not_fit_is_refused(trained_gan, tmp_path):
    pictures = trained_gan.generate(1)
    other = LatentEncoder((16, 20, 1), 7, 2)
    with pytest.raises(InputError, match=r"gives \(8,\). Received one from .* to \(7,\)"):
        explore.project(trained_gan, pictures, encoder=other)
    with pytest.raises(InputError, match=r"gives \(8,\). Received one from .* to \(7,\)"):
        kgan.export.export(trained_gan, tmp_path / "a", saved_model=False, encoder=other)
    with pytest.raises(InputError, match="steps must be a whole number above 0"):
        explore.train_encoder(trained_gan, steps=0)
    assert not (tmp_path / "a").exists()


def test_the_command(trained_gan, saved, tmp_path, capsys):
    (picture,) = trained_gan.generate(1, seed=9)
    Image.fromarray(picture[..., 0]).save(tmp_path / "me.png")
    out = tmp_path / "project.png"
    given = ["explore", "project", str(saved / "gan.keras"), str(tmp_path / "me.png")]
    given += ["-o", str(out), "--starts", "1"]
    assert main([*given, "--encoder", "--steps", "0"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith(f"the encoder kept in {saved / 'gan.encoder.keras'}, 150 steps")
    figures = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert figures["pictures"][0]["encoder"]["best"] is True
    assert figures["encoder"]["training"]["seed"] == 3
    for words, says in (
        (["--steps", "0"], "steps must be a whole number above 0"),
        (["--encoder-steps", "5"], "--encoder-steps goes with --encoder"),
    ):
        assert main([*given, *words]) == 2
        assert says in capsys.readouterr().err
