// The exported generator as the page sees it: latents in, pictures and the time they took out.

import { fromSeed } from "./latents.js";

/**
 * What the page shows and works on.
 * A label is the number of a class, or the values of the attributes. `seed` is there where the
 * latent is that seed's; one with `blend` is mixed with itself in another class.
 * @typedef {{title: string, latent: Float32Array, label: null|number|number[], image: ImageData,
 *   seed: ?number, blend: ?{label: number, share: number}}} Picture
 */

export class Generator {
  #worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  #waiting = new Map();
  #asked = 0;

  constructor(manifest) {
    this.manifest = manifest;
    this.dim = manifest.latents.dim;
    this.isNormal = manifest.latents.distribution === "normal";
    const [height, width, channels] = manifest.output.shape.slice(1);
    // What makes no picture is shown as grey channels side by side.
    const isPicture = [1, 3, 4].includes(channels);
    [this.height, this.width] = [height, isPicture ? width : width * channels];
    this.hasAlpha = channels === 4;
    this.directions = manifest.directions ?? [];
    const { labels } = manifest;
    this.attributes = labels?.attributes ?? null;
    this.classes = labels && !this.attributes ? classNames(labels) : null;
    this.#worker.onmessage = ({ data }) => this.#answer(data);
    this.#worker.onerror = (event) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(event.message));
      this.#waiting.clear();
    };
  }

  /**
   * Loads the model that lies beside the page.
   * @param {function({loaded: number, total: number})} onProgress takes bytes
   */
  async open(onProgress) {
    this.onProgress = onProgress;
    const { machine } = await this.#ask({ manifest: this.manifest });
    this.machine = machine;
  }

  /** A seed's latent and label, as `kgan generate --seed` takes them; `label` asks for another. */
  ofSeed(seed, label = null) {
    return {
      seed,
      title: `Seed ${seed}`,
      latent: fromSeed(seed, this.dim, this.manifest.latents.distribution),
      label: label ?? this.#labelOfSeed(seed),
      blend: null,
    };
  }

  #labelOfSeed(seed) {
    if (this.classes) return seed % this.classes.length;
    const rows = this.attributes && this.manifest.labels.rows;
    return rows && rows[seed % rows.length];
  }

  /** Whether a label is the one that a seed has where none is asked for. */
  isOwnLabel(seed, label) {
    return String(this.#labelOfSeed(seed)) === String(label);
  }

  /** Whether a label is one of this model's. */
  isLabel(label) {
    if (this.classes) return Number.isInteger(label) && label in this.classes;
    if (!this.attributes) return label === null;
    if (!Array.isArray(label) || label.length !== this.attributes.length) return false;
    return this.attributes.every(({ range: [low, high] }, place) => {
      return Number.isFinite(label[place]) && low <= label[place] && label[place] <= high;
    });
  }

  /** A picture's title, with its class or its attributes. */
  caption({ title, label }) {
    if (this.classes) return `${title} · ${this.classes[label]}`;
    if (!this.attributes) return title;
    const words = this.attributes.map(({ name, kind, range }, place) => {
      if (kind !== "switch") return `${name} ${inWords(label[place], range)}`;
      return label[place] >= 0.5 ? name : `no ${name}`;
    });
    return [title, ...words].join(" · ");
  }

  /**
   * Makes a batch of pictures.
   * @param {Picture[]} wanted without images
   * @returns {Promise<{images: ImageData[], milliseconds: number}>}
   */
  async draw(wanted) {
    const mixed = wanted.filter(({ blend }) => blend);
    const others = mixed.map(({ latent, blend }) => ({ latent, label: blend.label }));
    const { images, milliseconds } = await this.#drawEach([...wanted, ...others]);
    mixed.forEach((each, place) => {
      mix(images[wanted.indexOf(each)].data, images[wanted.length + place].data, each.blend.share);
    });
    return { images: images.slice(0, wanted.length), milliseconds };
  }

  async #drawEach(wanted) {
    const latents = new Float32Array(wanted.length * this.dim);
    wanted.forEach(({ latent }, place) => latents.set(latent, place * this.dim));
    let labels = null;
    if (this.classes) labels = wanted.map(({ label }) => label);
    if (this.attributes) labels = Float32Array.from(wanted.flatMap(({ label }) => label));
    const { pixels, milliseconds, machine } = await this.#ask({ latents, labels });
    this.machine = machine; // a GPU may be taken away
    const size = this.height * this.width * 4;
    const images = wanted.map((_, place) => {
      const part = pixels.slice(place * size, (place + 1) * size);
      return new ImageData(part, this.width, this.height);
    });
    return { images, milliseconds };
  }

  #ask(message) {
    return new Promise((resolve, reject) => {
      const id = this.#asked++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...message });
    });
  }

  #answer({ id, error, progress, ...answer }) {
    if (progress) return this.onProgress(progress);
    const { resolve, reject } = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) return resolve(answer);
    return reject(new Error(error));
  }
}

const MOST_DECIMALS = 6;

/** A number of an attribute, for people, to about a hundredth of its range. */
export function inWords(number, [low, high]) {
  const decimals = Math.max(0, Math.ceil(2 - Math.log10(high - low)));
  const text = decimals > MOST_DECIMALS ? number.toExponential(2) : number.toFixed(decimals);
  return text.replaceAll("-", "−");
}

/** Mixes levels with others, in place: `share` of them comes from the others. */
function mix(levels, others, share) {
  others.forEach((level, place) => {
    levels[place] = Math.round((1 - share) * levels[place] + share * level);
  });
}

function classNames({ num_classes: count, class_names: names }) {
  return names ?? Array.from({ length: count }, (_, label) => `class ${label}`);
}
