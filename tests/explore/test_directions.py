"""Directions: found as planted, equal to NumPy's, kept beside a model and carried by exports."""

import json

import keras
import numpy as np
import pytest

import kgan
from kgan import latents as latent_law
from kgan.directions import direction_along, keep_directions, of_manifest, read_directions
from kgan.explore import Subject, attribute_direction, main_directions, strips
from kgan.explore.direction_search import SAMPLES, _components, two_sides
from kgan.explore.seed_values import read_seed_values

DIM = 6


def cosine(one, other):
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.fixture(scope="module")
def layered():
    """A GAN whose first layer is a known matrix, without and then with a ReLU."""
    matrix = np.random.default_rng(3).normal(size=(DIM, 64)).astype(np.float32)
    latents = keras.Input((DIM,))
    x = keras.layers.Dense(64, name="first")(latents)
    x = keras.layers.ReLU(name="bend")(x)
    x = keras.layers.Reshape((8, 8, 1))(x)
    generator = keras.Model(latents, keras.layers.Conv2D(1, 1, activation="tanh")(x))
    generator.get_layer("first").set_weights([matrix, np.linspace(-1, 1, 64)])
    images = keras.Input((8, 8, 1))
    discriminator = keras.Model(images, keras.layers.Dense(1)(keras.layers.Flatten()(images)))
    return kgan.GAN(generator, discriminator, seed=0), matrix.astype(np.float64)


def test_an_attribute_that_grows_along_a_direction_is_found(trained_gan):
    planted = np.random.default_rng(0).normal(size=8)
    seeds = range(400)
    values = latent_law.from_seeds(seeds, 8) @ planted
    found = attribute_direction(
        trained_gan, "light", dict(zip(seeds, values.tolist(), strict=True))
    )
    assert cosine(found.vector, planted) > 0.97
    assert np.linalg.norm(found.vector) == pytest.approx(1, abs=1e-6)


def test_two_sides_give_the_difference_of_their_means(trained_gan):
    found = attribute_direction(trained_gan, "turn", two_sides([1, 5, 6], [2, 8]))
    means = [latent_law.from_seeds(side, 8).mean(axis=0) for side in ([1, 5, 6], [2, 8])]
    assert cosine(found.vector, means[1] - means[0]) == pytest.approx(1, abs=1e-5)
    for sides, message in ((([1], [1, 2]), r"both sides: \[1\]"), (([], [2]), "none on one side")):
        with pytest.raises(kgan.InputError, match=message):
            two_sides(*sides)
    with pytest.raises(kgan.InputError, match="different finite values"):
        attribute_direction(trained_gan, "turn", {1: 2.0, 4: 2.0})


def test_sefa_is_the_eigenvectors_of_the_first_layer(layered):
    gan, matrix = layered
    found = main_directions(gan, "sefa", DIM)
    left, values, _ = np.linalg.svd(matrix)
    for place, direction in enumerate(found):
        assert abs(cosine(direction.vector, left[:, place])) == pytest.approx(1, abs=1e-4)
        share = values[place] ** 2 / (values**2).sum()
        assert direction.how == f"SeFa of first, {share:.1%} of the variance"
    assert [direction.name for direction in found] == [f"sefa {i + 1}" for i in range(DIM)]


def test_ganspace_is_a_pca_and_a_regression(layered):
    gan, matrix = layered
    found = main_directions(gan, "ganspace", 3)
    latents = latent_law.from_seeds(range(SAMPLES), DIM).astype(np.float64)
    rows = np.maximum(latents @ matrix + np.linspace(-1, 1, 64), 0)
    rows -= rows.mean(axis=0)
    values, vectors = np.linalg.eigh(rows.T @ rows)
    for place, direction in enumerate(found):
        along = rows @ vectors[:, -1 - place]
        slope = np.linalg.lstsq(along[:, None], latents, rcond=None)[0][0]
        assert abs(cosine(direction.vector, slope)) == pytest.approx(1, abs=1e-3)
        assert direction.how.startswith("GANSpace of bend, ")
        assert f"{values[-1 - place] / values.sum():.1%}" in direction.how
    linear = main_directions(gan, "ganspace", 1, layer="first")[0]
    assert "GANSpace of first" in linear.how


def test_components_are_the_same_by_either_matrix():
    rows = np.random.default_rng(0).normal(size=(6, 9)) * np.arange(1, 10)
    rows -= rows.mean(axis=0)
    left, values, _ = np.linalg.svd(rows, full_matrices=False)
    for wide in (rows, np.concatenate([rows, np.zeros((6, 9))])):  # 6 rows, then 12
        along, shares = _components(wide, 2)
        for place in range(2):
            assert abs(cosine(along[:6, place], left[:, place])) == pytest.approx(1, abs=1e-6)
            expected = values[place] ** 2 / (values**2).sum()
            assert shares[place] == pytest.approx(expected, rel=1e-6)


def test_main_directions_of_a_preset_and_what_cannot_have_them(trained_gan, tmp_path):
    for method in ("ganspace", "sefa"):
        first, second = main_directions(trained_gan, method, 2)
        assert np.linalg.norm(first.vector) == pytest.approx(1, abs=1e-6)
        assert abs(cosine(first.vector, second.vector)) < 0.6
    with pytest.raises(kgan.InputError, match="one of ganspace, sefa"):
        main_directions(trained_gan, "pca")
    with pytest.raises(kgan.InputError, match="1 to 8 directions"):
        main_directions(trained_gan, n=9)
    with pytest.raises(kgan.InputError, match="No such layer"):
        main_directions(trained_gan, layer="none")
    export = kgan.export.to_onnx(trained_gan, tmp_path / "clothes")
    generator = kgan.runtime.Generator(export.path)
    with pytest.raises(kgan.InputError, match="looks into the networks themselves"):
        main_directions(generator)


def test_strips_move_each_seed_by_the_strengths(trained_gan):
    along = np.random.default_rng(1).normal(size=8)
    direction = direction_along("light", along, "normal", "drawn")
    finding = strips(trained_gan, [direction], [4, 7], columns=5)
    assert finding.figures["strengths"].tolist() == [-3, -1.5, 0, 1.5, 3]
    latents = latent_law.from_seeds([4, 7], 8)
    ends = [
        kgan.images.to_uint8(trained_gan.predict(latents + by * direction.vector, verbose=0))
        for by in (-3, 0, 3)
    ]
    change = np.sqrt(((ends[0].astype(float) - ends[1]) ** 2).mean(axis=(1, 2, 3))).mean()
    assert finding.figures["directions"][0]["change"][0] == pytest.approx(change, abs=0.3)
    assert finding.figures["directions"][0]["change"][2] == 0
    sheet = finding.picture[20:]  # below the caption
    np.testing.assert_array_equal(sheet[2:66:4, 166:246:4], trained_gan.generate(1, seed=4)[0])
    with pytest.raises(kgan.InputError, match="odd number of columns"):
        strips(trained_gan, [direction], columns=4)


def test_directions_are_kept_and_replaced_by_name(tmp_path):
    rng = np.random.default_rng(0)
    turn, smile, other = (
        direction_along(name, rng.normal(size=4), "uniform", "drawn")
        for name in ("turn", "smile", "turn")
    )
    assert np.linalg.norm(turn.vector) == pytest.approx(3**-0.5)
    file = tmp_path / "directions.json"
    keep_directions(file, [turn, smile])
    keep_directions(file, [other])
    found = read_directions(file, 4)
    assert [each.name for each in found] == ["smile", "turn"]
    np.testing.assert_allclose(found[1].vector, other.vector, atol=1e-6)
    with pytest.raises(kgan.InputError, match="the model's 5 latents"):
        read_directions(file, 5)
    assert read_directions(tmp_path / "none.json", 4) == []
    for text in ("{", "[]", '{"format": "kgan-directions", "directions": [1]}'):
        file.write_text(text)
        with pytest.raises(kgan.InputError, match="Not directions that kgan explore"):
            read_directions(file, 4)
    for name in ("", "a\nb", "x" * 101):
        with pytest.raises(kgan.InputError, match="can be printed"):
            direction_along(name, rng.normal(size=4), "normal", "drawn")


def test_a_manifest_carries_them_and_an_exports_subject_has_them(trained_gan, tmp_path):
    rng = np.random.default_rng(0)
    turn = direction_along("turn", rng.normal(size=8), "normal", "drawn")
    export = kgan.export.export(
        trained_gan, tmp_path / "clothes", saved_model=False, directions=[turn]
    )
    manifest = json.loads((export.path / "manifest.json").read_text())
    (kept,) = of_manifest(manifest, 8)
    np.testing.assert_allclose(kept.vector, turn.vector, atol=1e-6)
    assert manifest["directions"][0]["reach"] == 3
    subject = Subject(kgan.runtime.Generator(export.path))
    assert [each.name for each in subject.directions()] == ["turn"]
    assert "| turn |" in (export.path / "README.md").read_text()
    assert any("turn" in line for line in kgan.shelf.inspect(export.path))


def test_values_of_seeds_are_read_from_lines_and_json(tmp_path):
    file = tmp_path / "smile.csv"
    for text in ("seed,smile\n3,1\n\n12, 0.5\n", '{"3": true, "12": 0.5}'):
        file.write_text(text)
        assert read_seed_values(file) == {3: 1.0, 12: 0.5}
    for text, place in (("3,1\n3,2", "line 2"), ("3,1,4", "line 1"), ('{"a": 1}', "'a'")):
        file.write_text(text)
        with pytest.raises(kgan.InputError, match=f"one value.*Received: {place} of"):
            read_seed_values(file)
    for text, place in (
        ("1.0,0\n2,1", "line 1"),
        ("-1,0\n2,1", "line 1"),
        ("x,nan\n2,1", "line 1"),
    ):
        file.write_text(text)  # no heading, as its last cell is a number
        with pytest.raises(kgan.InputError, match=f"one value.*Received: {place} of .*smile"):
            read_seed_values(file)
    file.write_bytes(b"3,1\r12,0.5\r")
    assert read_seed_values(file) == {3: 1.0, 12: 0.5}
    for text, says in (("3," + 140_000 * "1", "Not lines of seed,value"), ('{"3":', "Not a JSON")):
        file.write_text(text)
        with pytest.raises(kgan.InputError, match=f"{says}.*Received: .*smile.csv"):
            read_seed_values(file)
    with pytest.raises(kgan.InputError, match="Cannot read the values"):
        read_seed_values(tmp_path / "none.csv")
