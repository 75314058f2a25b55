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

/** Downloads a canvas as a PNG file, whose name has letters, digits and hyphens only. */
export async function save(canvas, ...words) {
  const name = words.join(" ").normalize("NFKD").replace(/[^\p{L}\p{N}]+/gu, "-");
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${name.replace(/^-|-$/g, "").toLowerCase()}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Milliseconds with as many digits as are meaningful. */
export function inMilliseconds(value) {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
