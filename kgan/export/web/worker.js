// Runs the model in a worker, so that the page stays responsive. Knows ONNX and pixels, not seeds.

// The GPU's runtime also has the processor's; browsers without a GPU load the smaller one.
const ON_PROCESSOR = ["ort/ort.wasm.bundle.min.js", "ort/ort-wasm-simd-threaded.wasm"];
const ON_GPU = ["ort/ort.jspi.bundle.min.js", "ort/ort-wasm-simd-threaded.jspi.wasm"];
const MODEL = "model.onnx";
const TRIAL = 6; // pictures that both draw, to be compared and timed
const TRIAL_MILLISECONDS = 5000; // nobody waits longer for a GPU, from its offer to its pictures
const MOST_LEVELS = 2; // by which a GPU's pictures may differ, as float32 sums in another order do

const here = (path) => new URL(`./${path}`, import.meta.url).href;

let ort;
let manifest;
let onProcessor; // a session
let onGpu = null; // another, where it draws the same and faster

/** A file's bytes; `onBytes` takes how many came, part by part. */
async function download(path, onBytes) {
  const response = await fetch(here(path));
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`);
  const counted = new TransformStream({
    transform(part, out) {
      onBytes(part.byteLength);
      out.enqueue(part);
    },
  });
  return new Uint8Array(await new Response(response.body.pipeThrough(counted)).arrayBuffer());
}

/** Loads a runtime and the model; gives the model's bytes. */
async function load([script, wasm], tell) {
  const sizes = manifest.web_bytes;
  const [total, loaded] = [sizes[wasm] + sizes[MODEL], { [wasm]: 0, [MODEL]: 0 }];
  const [binary, model] = await Promise.all(
    [wasm, MODEL].map((path) =>
      download(path, (count) => {
        loaded[path] += count;
        tell({ loaded: loaded[wasm] + loaded[MODEL], total });
      }),
    ),
  );
  ort = await import(here(script));
  ort.env.wasm.wasmBinary = binary;
  // Threads share memory, which browsers allow only where the server isolates the page.
  ort.env.wasm.numThreads = self.crossOriginIsolated
    ? Math.min(4, navigator.hardwareConcurrency)
    : 1;
  return model;
}

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

async function run(session, { latents, labels }) {
  const dim = manifest.latents.dim;
  const count = latents.length / dim;
  const feeds = { latents: new ort.Tensor("float32", latents, [count, dim]) };
  if (labels instanceof Float32Array) {
    feeds.labels = new ort.Tensor("float32", labels, [count, labels.length / count]); // attributes
  } else if (labels) {
    feeds.labels = new ort.Tensor("int64", BigInt64Array.from(labels, BigInt), [count]);
  }
  const start = performance.now();
  const { images } = await session.run(feeds);
  const milliseconds = performance.now() - start;
  const pixels = pixelsOf(images);
  images.dispose();
  return { pixels, milliseconds };
}

function machine() {
  if (onGpu) return "on the GPU";
  const { numThreads } = ort.env.wasm;
  return numThreads === 1 ? "on 1 thread" : `on ${numThreads} threads`;
}

async function draw(asked) {
  if (onGpu) {
    try {
      return { ...(await run(onGpu, asked)), machine: machine() };
    } catch {
      onGpu = null; // such as one that the system took away; the processor goes on
    }
  }
  return { ...(await run(onProcessor, asked)), machine: machine() };
}

/** Latents and labels to try a session with. */
function trial(count) {
  const { dim } = manifest.latents;
  const latents = Float32Array.from({ length: count * dim }, (_, place) => Math.sin(place + 1));
  const { rows } = manifest.labels ?? {};
  if (rows) return { latents, labels: Float32Array.from(Array(count).fill(rows[0]).flat()) };
  return { latents, labels: manifest.labels ? Array(count).fill(0) : null };
}

/** Time that is spent in parts, a stopwatch that only runs while something is waited for. */
class Patience {
  constructor(milliseconds) {
    this.left = milliseconds;
  }

  get isOver() {
    return this.left <= 0;
  }

  /** What is promised, or null where it takes longer than what is left. */
  async wait(promised) {
    const start = performance.now();
    let timer;
    const over = new Promise((resolve) => {
      timer = setTimeout(() => {
        this.left = 0;
        resolve(null);
      }, this.left);
    });
    try {
      return await Promise.race([promised, over]);
    } finally {
      clearTimeout(timer);
      this.left -= performance.now() - start;
    }
  }
}

/**
 * The GPU's session, where its pictures are the processor's and come sooner; else null. Once
 * nobody waits any more, it draws no further, as the processor has other work.
 */
async function triedOnGpu(model, patience) {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ["webgpu"],
    logSeverityLevel: 3, // it warns of what it leaves to the processor on purpose
  });
  let isTaken = false;
  try {
    const asked = trial(TRIAL);
    const drawn = [];
    // A first run also compiles.
    for (const drawer of [session, session, onProcessor]) {
      if (patience.isOver) return null;
      drawn.push(await run(drawer, asked));
    }
    const [, one, other] = drawn;
    const isSame = one.pixels.every(
      (level, place) => Math.abs(level - other.pixels[place]) <= MOST_LEVELS,
    );
    isTaken = isSame && one.milliseconds < other.milliseconds && !patience.isOver;
    return isTaken ? session : null;
  } finally {
    if (!isTaken) await session.release();
  }
}

/** Whether this browser offers a GPU, and the page has the runtime for it. */
async function hasGpu(patience) {
  if (!(ON_GPU[1] in manifest.web_bytes) || !("Suspending" in WebAssembly)) return false;
  return Boolean(await patience.wait(navigator.gpu?.requestAdapter().catch(() => null)));
}

async function open(exported, tell) {
  manifest = exported;
  const patience = new Patience(TRIAL_MILLISECONDS);
  const isWithGpu = await hasGpu(patience);
  const model = await load(isWithGpu ? ON_GPU : ON_PROCESSOR, tell);
  onProcessor = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  // The first run of a session also plans and allocates; that must not count as a picture's time.
  await run(onProcessor, trial(1));
  if (isWithGpu) onGpu = await patience.wait(triedOnGpu(model, patience).catch(() => null));
  return { machine: machine() };
}

// One request at a time, in order.
let queue = Promise.resolve();
self.onmessage = ({ data }) => {
  queue = queue.then(async () => {
    const { id } = data;
    try {
      const tell = (progress) => self.postMessage({ id, progress });
      const answer = await (data.manifest ? open(data.manifest, tell) : draw(data));
      self.postMessage({ id, ...answer }, answer.pixels ? [answer.pixels.buffer] : []);
    } catch (error) {
      self.postMessage({ id, error: String(error?.message ?? error) });
    }
  });
};
