// A walk as one file: an animated WebP, or a video where the browser writes no WebP (Safari).

import { encoded, enlarged } from "./pictures.js";

const MILLISECONDS = 80; // of one picture
const LOSSLESS = 1;
const VIDEOS = ["video/mp4", "video/webm"];
const FRAME_CHUNKS = ["ALPH", "VP8 ", "VP8L"];

/** "webp" or "video", whichever this browser can write; null where neither. */
export async function kindOfWalk() {
  const blob = await encoded(enlarged(new ImageData(1, 1), 1), "image/webp", LOSSLESS);
  if (blob.type === "image/webp") return "webp";
  const canRecord = "captureStream" in HTMLCanvasElement.prototype && "MediaRecorder" in window;
  return canRecord && kindOfVideo() ? "video" : null;
}

const kindOfVideo = () => VIDEOS.find((kind) => MediaRecorder.isTypeSupported(kind));

/**
 * A file of pictures one after another.
 * @param {"webp"|"video"} kind as `kindOfWalk` says
 * @param {ImageData[]} images all of one size
 * @param {number} scale each pixel becomes that many times that many
 * @returns {Promise<{blob: Blob, extension: string}>}
 */
export async function walkFile(kind, images, scale) {
  return kind === "webp" ? asWebp(images, scale) : asVideo(images, scale);
}

async function asWebp(images, scale) {
  const frames = [];
  for (const image of images) {
    const still = await encoded(enlarged(image, scale), "image/webp", LOSSLESS);
    frames.push(frameOf(new Uint8Array(await still.arrayBuffer())));
  }
  const [width, height] = [scale * images[0].width, scale * images[0].height];
  const size = [...int24(width - 1), ...int24(height - 1)];
  const ALPHA_AND_ANIMATION = 0x12;
  const REPLACING = 0x02; // a picture is not blended with the one before
  const parts = [
    chunk("VP8X", [ALPHA_AND_ANIMATION, 0, 0, 0, ...size]),
    chunk("ANIM", [0, 0, 0, 0, 0, 0]), // no background; again and again
    ...frames.map((frame) => {
      const head = [...int24(0), ...int24(0), ...size, ...int24(MILLISECONDS), REPLACING];
      return chunk("ANMF", joined([Uint8Array.from(head), frame]));
    }),
  ];
  const body = joined([ascii("WEBP"), ...parts]);
  return { blob: new Blob([chunk("RIFF", body)], { type: "image/webp" }), extension: "webp" };
}

/** The chunks of a still picture that a frame of an animation has, too. */
function frameOf(file) {
  const view = new DataView(file.buffer);
  const kept = [];
  let start = 12; // after "RIFF", the size and "WEBP"
  while (start < file.length) {
    const size = view.getUint32(start + 4, true);
    const end = start + 8 + size + (size % 2);
    if (FRAME_CHUNKS.includes(String.fromCharCode(...file.subarray(start, start + 4)))) {
      kept.push(file.subarray(start, end));
    }
    start = end;
  }
  return joined(kept);
}

/** A chunk of RIFF: its name, the size of its content, its content on an even length. */
function chunk(name, content) {
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, content.length, true);
  return joined([ascii(name), size, Uint8Array.from(content), new Uint8Array(content.length % 2)]);
}

const ascii = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const int24 = (number) => [number & 0xff, (number >> 8) & 0xff, (number >> 16) & 0xff];

function joined(parts) {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((start, part) => {
    all.set(part, start);
    return start + part.length;
  }, 0);
  return all;
}

/** Records a canvas while it shows the pictures, which takes as long as they play. */
async function asVideo(images, scale) {
  const canvas = enlarged(images[0], scale);
  canvas.getContext("2d").globalCompositeOperation = "copy";
  const kind = kindOfVideo();
  const recorder = new MediaRecorder(canvas.captureStream(), { mimeType: kind });
  const parts = [];
  recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
  const ended = new Promise((resolve) => recorder.addEventListener("stop", resolve));
  recorder.start();
  for (const image of images) {
    canvas.getContext("2d").drawImage(enlarged(image, scale), 0, 0);
    await new Promise((resolve) => setTimeout(resolve, MILLISECONDS));
  }
  recorder.stop();
  await ended;
  return { blob: new Blob(parts, { type: kind }), extension: kind.split("/")[1] };
}
