// The page's state as the end of its address, and back.

/**
 * A picture as text: its seed, or what the seed does not say as JSON.
 * @param {import("./generator.js").Generator} generator
 * @param {import("./generator.js").Picture} picture
 */
export function pictureAsText(generator, { seed, title, latent, label, blend }) {
  if (seed === undefined || blend) {
    return JSON.stringify({ title, label, blend, latent: asBase64(latent) });
  }
  return generator.isOwnLabel(seed, label) ? String(seed) : JSON.stringify({ seed, label });
}

/** The picture of such a text, not yet drawn; an Error where it is none of this model's. */
export function pictureFromText(generator, text) {
  const known = JSON.parse(text);
  const { seed, label = null, blend = null } = Number.isInteger(known) ? { seed: known } : known;
  if (seed !== undefined) {
    check(isSeed(seed));
    const picture = generator.ofSeed(seed, label);
    check(generator.isLabel(picture.label));
    return picture;
  }
  const latent = fromBase64(known.latent);
  check(latent.length === generator.dim && latent.every(Number.isFinite));
  check(generator.isLabel(label) && typeof known.title === "string");
  check(!blend || (generator.isLabel(blend.label) && blend.share >= 0 && blend.share <= 1));
  return { title: known.title, latent, label, blend };
}

/** Whether numpy and JavaScript mean the same seed by it. */
export const isSeed = (number) => Number.isSafeInteger(number) && number >= 0;

function check(isRight) {
  if (!isRight) throw new Error("not of this model");
}

function asBase64(latent) {
  return btoa(String.fromCharCode(...new Uint8Array(latent.buffer)));
}

function fromBase64(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}
