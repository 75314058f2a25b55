"""The probe as ONNX: against NumPy and scikit-learn, its contract, and what is refused."""

import dataclasses
import json

import numpy as np
import onnxruntime
import pytest
from PIL import Image

import kgan
from kgan import explore, shelf
from kgan.cli.main import main
from kgan.errors import InputError, ParityError
from kgan.explore.probing import EXAMPLES, drawn
from kgan.export.signatures import parts_of
from kgan.export.verify import classifier_parity
from kgan.runs.exploring import open_subject
from tests.explore.test_probing import edges, numpy_features

svm = pytest.importorskip("sklearn.svm")
NAMES = ["level", "upright", "both"]


def three_kinds():
    """Stripes of two kinds, and both over each other as a third."""
    images, labels = edges(180)
    both = (images[::3].astype(int) + images[1::3]) // 2
    images[2::3], labels[2::3] = both, 2
    return images, labels


@pytest.fixture(scope="module")
def probed(trained_gan):
    images, labels = three_kinds()
    return explore.probe(
        trained_gan, images, labels, labelled=60, draws=2, class_names=NAMES, seed=4
    )


@pytest.fixture(scope="module")
def exported(probed, tmp_path_factory):
    return kgan.export.to_onnx(probed.probe, tmp_path_factory.mktemp("exports") / "stripes")


def session(path):
    return onnxruntime.InferenceSession(path / "model.onnx", providers=["CPUExecutionProvider"])


def run(path, images):
    return session(path).run(["features", "scores", "classes"], {"images": images})


def test_features_are_numpys_and_scores_and_classes_scikit_learns(probed, exported):
    images, labels = three_kinds()
    network = probed.probe.network.network
    rows = numpy_features(network, images).astype(np.float32)
    rng = np.random.default_rng(4)
    drawn(labels, 60, rng)
    draw = drawn(labels, 60, rng)  # the second, which is delivered
    length = np.linalg.norm(rows[draw.train], axis=1).mean()
    fitted = svm.LinearSVC(C=probed.probe.facts["svm_c"], dual="auto", random_state=0)
    fitted.fit(rows[draw.train] / length, labels[draw.train])
    unseen = np.random.default_rng(1).integers(0, 256, (40, 16, 20, 1), np.uint8)
    unseen = np.concatenate([unseen, images[draw.test]])
    expected = numpy_features(network, unseen)
    scores = fitted.decision_function(expected / length)
    for batch in (unseen[:1], unseen[:5], unseen):
        found = run(exported.path, batch)
        assert [each.dtype for each in found] == [np.float32, np.float32, np.int64]
        np.testing.assert_allclose(found[0], expected[: len(batch)], atol=1e-4)
        # The fit's own rounding, of features that differ by as little, is in it too.
        np.testing.assert_allclose(found[1], scores[: len(batch)], atol=5e-3)
        clear = np.ptp(np.sort(scores[: len(batch)])[:, -2:], axis=1) > 0.02
        assert clear.mean() > 0.5
        np.testing.assert_array_equal(
            found[2][clear], fitted.predict(expected[: len(batch)] / length)[clear]
        )
    accuracy = np.mean(run(exported.path, images[draw.test])[2] == labels[draw.test])
    assert accuracy == pytest.approx(probed.finding.figures["trained"]["accuracies"][-1], abs=0.02)
    assert probed.probe.facts["accuracy"] == round(
        probed.finding.figures["trained"]["accuracies"][-1], 4
    )


def test_of_two_classes_both_have_a_score_and_the_labels_are_names(tmp_path):
    images, labels = edges(80)
    images = images[:, :, :16]  # maps of 8x8 and 4x4: parts of one size
    gan = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 16, 1), latent_dim=4, filters=2, num_classes=3, seed=0
    )
    found = explore.probe(gan, images, 5 + 2 * labels, labelled=30, draws=1).probe
    path = kgan.export.to_onnx(found, tmp_path / "stripes").path
    draw = drawn(labels, 30, np.random.default_rng(0))
    _, scores, classes = run(path, images[draw.test])
    assert found.facts["accuracy"] > 0.6
    right = np.mean(classes == labels[draw.test])
    assert right == pytest.approx(found.facts["accuracy"], abs=0.051)  # one of twenty
    np.testing.assert_allclose(scores[:, 0], -scores[:, 1], atol=1e-6)
    np.testing.assert_array_equal(classes, (scores[:, 1] > 0).astype(int))
    classes = json.loads((path / "manifest.json").read_text(encoding="utf-8"))["classes"]
    assert (classes["num_classes"], classes["class_names"]) == (2, ["5", "7"])
    for names, says in ((["a", "b"], "name every label, 5 to 7"), (["a"] * 8, "8 different names")):
        with pytest.raises(InputError, match=says):
            explore.probe(gan, images, 5 + 2 * labels, labelled=30, draws=1, class_names=names)


def test_of_an_exports_gan_it_is_compared_on_images_of_all_classes(tmp_path):
    images, labels = edges(200)
    order = np.argsort(labels, kind="stable")
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 20, 1), latent_dim=4, filters=2, seed=0)
    path = kgan.export.to_onnx(gan, tmp_path / "gan").path
    gan.save(path / "model.keras")
    found = explore.probe(open_subject(path), images[order], labels[order], labelled=20, draws=1)
    assert found.probe.preset == "dcgan"
    assert len(found.probe.examples) == EXAMPLES
    of_all = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    chosen = [of_all[image.tobytes()] for image in found.probe.examples]
    assert chosen == sorted(chosen)
    assert abs(np.mean(chosen) - 0.5) < 0.05


def test_manifest_card_and_inspection_say_what_it_is(exported, tmp_path, monkeypatch, capsys):
    manifest = json.loads((exported.path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["kind"] == "probe"
    assert manifest["input"]["shape"] == ["batch", 16, 20, 1]
    assert "parameters" not in manifest["training"]  # not all of the discriminator's are in it
    assert (manifest["input"]["dtype"], manifest["input"]["value_range"]) == ("uint8", [0, 255])
    features = manifest["features"]
    assert features["shape"] == ["batch", 16 * (16 + 32)]
    assert features["layers"] == [
        {"name": "leaky_relu_8x10", "maps": 16},
        {"name": "leaky_relu_4x5", "maps": 32},
    ]
    assert manifest["classes"]["class_names"] == NAMES
    report = manifest["parity"]["onnx"]
    assert 0 < report["scores_max_abs_difference"] < 1e-3
    assert report["classes_compared"] + report["classes_too_close"] == 12 + 60
    assert report["classes_compared"] > 36
    assert (
        "scores_max_abs_difference"
        in session(exported.path).get_modelmeta().custom_metadata_map["kgan.manifest"]
    )
    assert main(["export", "--inspect", str(exported.path)]) == 0
    said = capsys.readouterr().out
    for words in (
        "probe of 16x20x1 pictures",
        "classes int64 (batch)",
        "3: 0 level, 1 upright, 2 both",
        "every file has the size",
    ):
        assert words in said
    with pytest.raises(InputError, match="a probe and generates nothing"):
        kgan.runtime.Generator(exported.path)
    assert "a probe of 16x20x1 pictures" in shelf.describe(exported.path)
    (listed,) = shelf.list_exports(exported.path.parent.parent)
    assert "16x20x1" in shelf.table([listed])[1]
    (tmp_path / "model.onnx").write_bytes((exported.path / "model.onnx").read_bytes())
    Image.new("RGB", (60, 50), (200, 10, 10)).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    code = (exported.path / "README.md").read_text(encoding="utf-8").split("```python\n")[1]
    found = {}
    exec(code.split("```")[0], found)
    assert found["scores"].shape == (1, 3)


def test_an_export_that_differs_is_not_there(probed, tmp_path):
    wrong = dataclasses.replace(probed.probe, weights=probed.probe.weights * 1.02)
    with pytest.raises(ParityError, match="scores differ from the classifier's"):
        kgan.export.to_onnx(wrong, tmp_path / "stripes")
    assert not (tmp_path / "stripes").exists()


def test_classes_must_be_the_same_but_where_scores_are_equal(probed):
    (part,) = parts_of(probed.probe)
    order = np.array([[3.0, 1.0, 1.0]])
    probe = dataclasses.replace(probed.probe, scores=lambda rows: np.repeat(order, len(rows), 0))

    def says(label, scores=order):
        def scores_and_classes(arrays):
            count = len(arrays["images"])
            return [np.repeat(scores, count, 0), np.full(count, label)]

        return classifier_parity(part, probe, scores_and_classes)

    assert says(0)["classes_compared"] == 12 + 60
    with pytest.raises(ParityError, match="another class for 72 of 72 images"):
        says(1)
    order[0, 1] = 3.0
    assert says(1)["classes_too_close"] == 72
    order[0] = 1.00015, 1.0, 0.0  # neither is off by more than the tolerance
    assert says(1, np.array([[1.00006, 1.00009, 0.0]]))["classes_too_close"] == 72
    order[0, 0] = 1.00025
    with pytest.raises(ParityError, match="another class for 72 of 72 images"):
        says(1)


def test_other_forms_are_refused(probed, tmp_path):
    for asked in ({"saved_model": True}, {"tflite": True}, {"precision": "int8"}):
        with pytest.raises(InputError, match="ONNX in float32 alone"):
            kgan.export.export(probed.probe, tmp_path / "a", **({"saved_model": False} | asked))
    with pytest.raises(InputError, match="value_range is for a network that is no kgan model"):
        kgan.export.to_onnx(probed.probe, tmp_path / "a", value_range=(0, 1))
    with pytest.raises(InputError, match=r"with a GAN\. Received one with a probe"):
        kgan.export.export(
            probed.probe,
            tmp_path / "a",
            saved_model=False,
            encoder=kgan.models.LatentEncoder((16, 20, 1), 8, 2),
        )
    assert not (tmp_path / "a").exists()


def test_the_command_exports_and_mistakes_come_first(small_gan, tmp_path, capsys, monkeypatch):
    images, labels = edges(120)
    np.savez(tmp_path / "stripes.npz", images=images, labels=labels)
    small_gan.save(tmp_path / "gan.keras")
    monkeypatch.chdir(tmp_path)
    given = ["explore", "probe", "gan.keras", "--data", "stripes.npz", "--labels", "40"]
    given += ["--draws", "1", "--export"]
    assert main([*given, "out/stripes"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == "out/stripes/1"
    assert "scores within" in printed[-2]
    manifest = json.loads((tmp_path / "out/stripes/1/manifest.json").read_text(encoding="utf-8"))
    assert "stripes.npz" in manifest["training"]["classes_learned_from"]
    assert manifest["training"]["labelled_images"] == 40
    (tmp_path / "probe.png").unlink()
    kgan.export.to_onnx(small_gan, tmp_path / "out/clothes")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    for place, says in (
        ("gan.keras", "needs a directory"),
        ("full", "which holds mine.txt"),
        ("out/clothes", "another directory for a probe. Received: out/clothes, a generator of"),
        ("out/.hidden", "not hidden"),
    ):
        # Data that are not there would be the next mistake.
        assert main([*given[:4], "none.npz", *given[5:], place]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert says in line
    assert (
        main(["explore", "probe", "out/clothes", "--data", "stripes.npz", "--export", "new"]) == 2
    )
    assert "looks into the networks themselves" in capsys.readouterr().err
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before
