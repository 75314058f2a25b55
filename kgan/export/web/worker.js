// Runs the model in a worker, so that the page stays responsive. Knows ONNX and pixels, not seeds.

import { env, InferenceSession, Tensor } from "./ort/ort.wasm.bundle.min.js";

env.wasm.wasmPaths = { wasm: new URL("./ort/ort-wasm-simd-threaded.wasm", import.meta.url).href };
// Threads share memory, which browsers allow only where the server isolates the page.
env.wasm.numThreads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1;

let session;
let manifest;

/** The model's output (uint8, or float32 in the manifest's range) as levels 0 to 255. */
function levels(values) {
  if (values instanceof Uint8Array) return values;
  const [low, high] = manifest.output.value_range;
  return Uint8ClampedArray.from(values, (value) => ((value - low) * 255) / (high - low));
}

/** Pixels as RGBA, which canvases take: grey, coloured, or coloured with alpha. */
function rgba(values, channels) {
  const pixels = new Uint8ClampedArray((values.length / channels) * 4);
  for (let from = 0, to = 0; from < values.length; from += channels, to += 4) {
    for (let channel = 0; channel < 3; channel++) {
      pixels[to + channel] = values[from + (channels === 1 ? 0 : channel)];
    }
    pixels[to + 3] = channels === 4 ? values[from + 3] : 255;
  }
  return pixels;
}

/** Channels that make no picture, side by side, each as grey; the first on the left. */
function sideBySide(values, width, channels) {
  const grey = new values.constructor(values.length);
  for (let from = 0; from < values.length; from++) {
    const channel = from % channels;
    const column = Math.floor(from / channels) % width;
    const row = Math.floor(from / (channels * width));
    grey[(row * channels + channel) * width + column] = values[from];
  }
  return grey;
}

function pixelsOf(images) {
  const [, , width, channels] = images.dims;
  const values = levels(images.data);
  if ([1, 3, 4].includes(channels)) return rgba(values, channels);
  return rgba(sideBySide(values, width, channels), 1);
}

async function draw({ latents, labels }) {
  const dim = manifest.latents.dim;
  const count = latents.length / dim;
  const feeds = { latents: new Tensor("float32", latents, [count, dim]) };
  if (labels instanceof Float32Array) {
    feeds.labels = new Tensor("float32", labels, [count, labels.length / count]); // attributes
  } else if (labels) {
    feeds.labels = new Tensor("int64", BigInt64Array.from(labels, BigInt), [count]);
  }
  const start = performance.now();
  const { images } = await session.run(feeds);
  const milliseconds = performance.now() - start;
  const pixels = pixelsOf(images);
  images.dispose();
  return { pixels, milliseconds };
}

async function open(exported) {
  manifest = exported;
  session = await InferenceSession.create(new URL("./model.onnx", import.meta.url).href, {
    executionProviders: ["wasm"],
  });
  // The first run of a session also plans and allocates; that must not count as a picture's time.
  const { rows } = manifest.labels ?? {};
  const labels = rows ? Float32Array.from(rows[0]) : manifest.labels ? [0] : null;
  await draw({ latents: new Float32Array(manifest.latents.dim), labels });
  return { threads: env.wasm.numThreads };
}

// One request at a time, in order.
let queue = Promise.resolve();
self.onmessage = ({ data }) => {
  queue = queue.then(async () => {
    try {
      const answer = await (data.manifest ? open(data.manifest) : draw(data));
      self.postMessage({ id: data.id, ...answer }, answer.pixels ? [answer.pixels.buffer] : []);
    } catch (error) {
      self.postMessage({ id: data.id, error: String(error?.message ?? error) });
    }
  });
};
