// What leaves the page: pictures, walks, links and Python.

import { download, enlarged, save } from "./pictures.js";
import { pythonOf } from "./python.js";
import { kindOfWalk, walkFile } from "./walk.js";

const SCALES = [1, 2, 4, 8, 16];
const LARGEST_SIDE = 16_384; // of a canvas
const WALK_FRAMES = 24; // one way
const WALK_SIDE = 512; // pixels at most, where the pictures themselves are not larger
const BATCH = 6;
const SHOWN_MILLISECONDS = 1500;
const element = (id) => document.getElementById(id);

/**
 * @param {import("./generator.js").Generator} generator
 * @param {import("./grid.js").Grid} grid
 * @param {import("./studio.js").Studio} studio
 * @param {{say: function(string), note: function(string), link: function(): string}} page `say`
 *   tells a screen reader, `note` everybody what went wrong, `link` gives the page's address
 */
export async function offerToKeep(generator, grid, studio, page) {
  offerPicture(generator, studio, page);
  element("save-grid").addEventListener("click", () => saving(page, grid.save()));
  element("copy-link").addEventListener("click", ({ target }) => copy(page.link(), target, page));
  element("copy-python").addEventListener("click", ({ target }) => {
    copy(pythonOf(generator, studio.shown), target, page);
  });
  await offerWalk(generator, studio, page);
}

function offerPicture(generator, studio, page) {
  const { width, height, manifest } = generator;
  const fits = SCALES.filter((scale) => scale * Math.max(width, height) <= LARGEST_SIDE);
  const size = (scale) => `${scale * width} × ${scale * height}`;
  element("scale").append(...fits.map((scale) => new Option(size(scale), scale)));
  element("save").addEventListener("click", async () => {
    const scale = Number(element("scale").value);
    const words = generator.caption(studio.shown).split("·");
    const canvas = enlarged(studio.shown.image, scale);
    await saving(page, save(canvas, manifest.name, ...words, ...(scale > 1 ? [`${scale}x`] : [])));
  });
}

async function offerWalk(generator, studio, page) {
  const button = element("save-walk");
  const kind = await kindOfWalk();
  button.disabled = kind === null;
  if (!kind) button.textContent = "This browser writes no animation";
  button.addEventListener("click", async () => {
    button.disabled = true;
    studio.stop();
    await saving(page, saveWalk(kind, generator, studio));
    button.disabled = false;
  });
}

async function saveWalk(kind, generator, studio) {
  const { width, height, manifest } = generator;
  const { A, B } = studio.kept;
  const wanted = Array.from({ length: WALK_FRAMES }, (_, place) =>
    studio.between(place / (WALK_FRAMES - 1)),
  );
  const images = [];
  for (let start = 0; start < WALK_FRAMES; start += BATCH) {
    images.push(...(await generator.draw(wanted.slice(start, start + BATCH))).images);
  }
  const thereAndBack = [...images, ...images.slice(1, -1).reverse()];
  const scale = Math.max(1, Math.floor(WALK_SIDE / Math.max(width, height)));
  const { blob, extension } = await walkFile(kind, thereAndBack, scale);
  download(blob, extension, manifest.name, A.title, "to", B.title);
}

/** Waits for a file, and says where it could not be written. */
async function saving({ say, note }, file) {
  try {
    await file;
    note("");
    say("Saved");
  } catch ({ message }) {
    note(`This browser could not save that: ${message}`);
  }
}

/** Copies a text; where the browser forbids it, as on plain http, shows it to be copied by hand. */
async function copy(text, button, { say }) {
  const byHand = element("by-hand");
  try {
    await navigator.clipboard.writeText(text);
    byHand.hidden = true;
    const name = (button.dataset.name ??= button.textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = name), SHOWN_MILLISECONDS);
    say("Copied");
  } catch {
    byHand.hidden = false;
    byHand.value = text;
    byHand.select();
    say("To be copied by hand");
  }
}
