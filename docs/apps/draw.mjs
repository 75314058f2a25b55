// Draws a seed's picture of saved_models/fashion_dcgan, in Node:
//
//     node draw.mjs saved_models/fashion_dcgan/1/model.onnx 0 picture.png
import { readFileSync, writeFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";

import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm"; // or "onnxruntime-node"
import { fromSeed } from "./latents.mjs"; // kgan/export/web/latents.js

const [model, seed, file] = process.argv.slice(2);
env.wasm.numThreads = 1; // this build starts no others in Node
const session = await InferenceSession.create(readFileSync(model));
const { images } = await session.run({
  latents: new Tensor("float32", fromSeed(Number(seed), 100, "normal"), [1, 100]),
  labels: new Tensor("int64", [BigInt(seed) % 10n], [1]),
});
writeFileSync(file, png(images.data, 28, 28));

/** A grey picture's levels as a PNG file. */
function png(levels, width, height) {
  const rows = Buffer.alloc(height * (width + 1)); // a 0 before each row: not filtered
  for (let row = 0; row < height; row++) {
    rows.set(levels.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  }
  const header = Buffer.from([0, 0, 0, width, 0, 0, 0, height, 8, 0, 0, 0, 0]);
  const chunks = [["IHDR", header], ["IDAT", deflateSync(rows)], ["IEND", Buffer.alloc(0)]];
  const parts = chunks.map(([name, content]) => {
    const chunk = Buffer.concat([Buffer.alloc(4), Buffer.from(name), content, Buffer.alloc(4)]);
    chunk.writeUInt32BE(content.length, 0);
    chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4);
    return chunk;
  });
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...parts]);
}
