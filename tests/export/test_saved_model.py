"""What writing a SavedModel tells, which is nothing: the folder is not yet the export."""

import logging

import tensorflow as tf

from kgan.export import saved_model


def test_tensorflows_news_of_it_are_not_told(tmp_path, caplog):
    @tf.function(input_signature=[tf.TensorSpec((None, 2), tf.float32)])
    def double(x):
        return {"y": 2.0 * x}

    logger = tf.get_logger()
    caplog.set_level(logging.INFO, "tensorflow")
    logger.addHandler(caplog.handler)
    try:
        saved_model.write({"serving_default": double}, tmp_path)
        assert (tmp_path / "saved_model.pb").is_file()
        assert "Assets written" not in caplog.text
        logger.info("of the user's own")  # what follows is told again
        assert "of the user's own" in caplog.text
    finally:
        logger.removeHandler(caplog.handler)
