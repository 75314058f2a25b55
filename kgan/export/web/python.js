// Python that draws a picture of the page with kgan.runtime.

/**
 * Lines that leave the picture in `image`, a uint8 array (H, W, C); the same as here to a rounding.
 * @param {import("./generator.js").Generator} generator
 * @param {import("./generator.js").Picture} picture
 */
export function pythonOf(generator, { seed, latent, label, blend }) {
  const { name, version } = generator.manifest;
  const path = ["saved_models", name, ...(version === undefined ? [] : [version])].join("/");
  const made = `kgan.runtime.Generator(${JSON.stringify(path)})`;
  if (blend) {
    const drawn = (which, share) => `${share} * generator.from_latents(latents, ${which})`;
    const mixed = `${drawn(label, 1 - blend.share)} + ${drawn(blend.label, blend.share)}`;
    return `import kgan

generator = ${made}
latents = [${numbers(latent)}]
image = (${mixed}).round().astype("uint8")[0]
`;
  }
  const isOwn = seed !== undefined && generator.isOwnLabel(seed, label);
  const labels = label === null || isOwn ? "" : `, labels=${asked(generator, label)}`;
  const call =
    seed === undefined
      ? `from_latents([${numbers(latent)}]${labels})`
      : `generate(1, seed=${seed}${labels})`;
  return `import kgan\n\nimage = ${made}.${call}[0]\n`;
}

/** Nine digits say which float32 a number is. */
function numbers(latent) {
  return `[${Array.from(latent, (value) => Number(value.toPrecision(9))).join(", ")}]`;
}

function asked({ attributes }, label) {
  if (!attributes) return label;
  const named = attributes.map(({ name }, place) => `${JSON.stringify(name)}: ${label[place]}`);
  return `{${named.join(", ")}}`;
}
