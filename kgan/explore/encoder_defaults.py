"""How long an encoder is trained, and the file that it is kept in; known without TensorFlow."""

ENCODER_FILE = "encoder.keras"
ENCODER_STEPS = 2000
