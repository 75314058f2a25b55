// Pictures on canvases and in PNG files.

const SMALL_SIDE = 160;
const PADDING = 2;

/** Shows a picture on a canvas of its own size; the style sheet scales it. */
export function paint(canvas, image) {
  canvas.width = image.width;
  canvas.height = image.height;
  // Small pictures are scaled up by whole pixels, large ones smoothly.
  canvas.classList.toggle("pixelated", Math.max(image.width, image.height) <= SMALL_SIDE);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** One canvas with all pictures, laid out as kgan.images.grid does; around `hasAlpha` nothing. */
export function sheet(images, columns, hasAlpha) {
  const [{ width, height }] = images;
  const canvas = document.createElement("canvas");
  canvas.width = columns * (width + PADDING) + PADDING;
  canvas.height = Math.ceil(images.length / columns) * (height + PADDING) + PADDING;
  const context = canvas.getContext("2d");
  if (!hasAlpha) {
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  images.forEach((image, place) => {
    const left = PADDING + (place % columns) * (width + PADDING);
    const top = PADDING + Math.floor(place / columns) * (height + PADDING);
    context.putImageData(image, left, top);
  });
  return canvas;
}

/** A picture on a canvas of its own, each pixel `scale` times `scale` pixels large. */
export function enlarged(image, scale) {
  const [small, large] = [document.createElement("canvas"), document.createElement("canvas")];
  paint(small, image);
  if (scale === 1) return small;
  [large.width, large.height] = [scale * image.width, scale * image.height];
  const context = large.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, large.width, large.height);
  return large;
}

/** A canvas as a file in memory; `kind` is "image/png" where the browser cannot write it. */
export async function encoded(canvas, kind, quality) {
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, kind, quality));
  if (!blob) throw new Error(`pictures of ${canvas.width} × ${canvas.height} are too large for it`);
  return blob;
}

/** Downloads a file, whose name has letters, digits and hyphens only, and an extension. */
export function download(blob, extension, ...words) {
  const name = words.join(" ").normalize("NFKD").replace(/[^\p{L}\p{N}]+/gu, "-");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${name.replace(/^-|-$/g, "").toLowerCase()}.${extension}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Downloads a canvas as a PNG file. */
export async function save(canvas, ...words) {
  download(await encoded(canvas, "image/png"), "png", ...words);
}

/** Milliseconds with as many digits as are meaningful. */
export function inMilliseconds(value) {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
