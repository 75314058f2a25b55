// Latents as kgan's Python makes them: numpy's SeedSequence, Philox and float32 ziggurat. The same
// bits, except for one value in a million whose last bit numpy's float32 logarithm rounds differently.

const MASK = 0xffffffffffffffffn;
const MULTIPLIERS = [0xd2e7470ee14c6c93n, 0xca5a826395121157n];
const KEY_STEPS = [0x9e3779b97f4a7c15n, 0xbb67ae8584caa73bn];
const ROUNDS = 10;
const POOL_WORDS = 4;

/** The 128-bit key that numpy's SeedSequence derives from a seed, as two 64-bit words. */
function keyOfSeed(seed) {
  const entropy = [seed % 2 ** 32, Math.floor(seed / 2 ** 32)];
  let constant = 0x43b0d7e5;
  const hash = (word) => {
    const mixed = word ^ constant;
    constant = Math.imul(constant, 0x931e8875);
    const product = Math.imul(mixed, constant);
    return product ^ (product >>> 16);
  };
  const mix = (one, other) => {
    const mixed = Math.imul(0xca01f9dd, one) - Math.imul(0x4973f715, other);
    return mixed ^ (mixed >>> 16);
  };
  const pool = Array.from({ length: POOL_WORDS }, (_, place) => hash(entropy[place] ?? 0));
  for (let source = 0; source < POOL_WORDS; source++) {
    for (let target = 0; target < POOL_WORDS; target++) {
      if (source !== target) pool[target] = mix(pool[target], hash(pool[source]));
    }
  }
  constant = 0x8b51f9dd;
  const words = pool.map((word) => {
    const mixed = word ^ constant;
    constant = Math.imul(constant, 0x58f38ded);
    const product = Math.imul(mixed, constant);
    return BigInt((product ^ (product >>> 16)) >>> 0);
  });
  return [words[0] | (words[1] << 32n), words[2] | (words[3] << 32n)];
}

/** numpy's Philox4x64-10 stream of one seed (Salmon et al. 2011). */
class Philox {
  constructor(seed) {
    this.key = keyOfSeed(seed);
    this.counter = 0n;
    this.words = [];
    this.half = null;
  }

  block() {
    let [a, b, c, d] = [++this.counter, 0n, 0n, 0n];
    let [one, other] = this.key;
    for (let round = 0; round < ROUNDS; round++) {
      const first = MULTIPLIERS[0] * a;
      const second = MULTIPLIERS[1] * c;
      [a, c] = [(second >> 64n) ^ b ^ one, (first >> 64n) ^ d ^ other];
      [b, d] = [second & MASK, first & MASK];
      one = (one + KEY_STEPS[0]) & MASK;
      other = (other + KEY_STEPS[1]) & MASK;
    }
    return [a, b, c, d];
  }

  uint64() {
    if (!this.words.length) this.words = this.block();
    return this.words.shift();
  }

  /** Low half first, as numpy splits a 64-bit word. */
  uint32() {
    if (this.half !== null) {
      const half = this.half;
      this.half = null;
      return half;
    }
    const word = this.uint64();
    this.half = Number(word >> 32n);
    return Number(word & 0xffffffffn);
  }

  /** float32 in [0, 1). */
  float() {
    return (this.uint32() >>> 8) / 2 ** 24;
  }

  /** float64 in [0, 1). */
  double() {
    return Number(this.uint64() >> 11n) / 2 ** 53;
  }
}

const f32 = Math.fround;
const density = (x) => Math.exp(-0.5 * x * x);
const LAYERS = 256;
const TAIL = 3.654152885361009;
const LAYER_AREA = 0.004928673233974658;
const ZIGGURAT = zigguratTables();

/** The 256 layers of equal area under the normal density (Marsaglia & Tsang 2000), in float32. */
function zigguratTables() {
  const edges = new Array(LAYERS);
  edges[LAYERS - 1] = TAIL;
  for (let layer = LAYERS - 1; layer > 1; layer--) {
    const x = edges[layer];
    edges[layer - 1] = Math.sqrt(-2 * Math.log(LAYER_AREA / x + density(x)));
  }
  edges[0] = LAYER_AREA / density(TAIL);
  const inside = edges.map((x, layer) => Math.round(((layer ? edges[layer - 1] : TAIL) / x) * 2 ** 23));
  inside[1] = 0;
  const heights = edges.map((x, layer) => f32(layer ? density(x) : 1));
  return { widths: edges.map((x) => f32(x / 2 ** 23)), inside, heights };
}

function normal(stream) {
  const { widths, inside, heights } = ZIGGURAT;
  for (;;) {
    const bits = stream.uint32();
    const layer = bits & 0xff;
    const size = (bits >>> 9) & 0x7fffff;
    const x = f32(size * widths[layer]) * ((bits >>> 8) & 1 ? -1 : 1);
    if (size < inside[layer]) return x;
    if (layer === 0) {
      for (;;) {
        const beyond = f32(-f32(1 / TAIL) * f32(Math.log1p(-stream.float())));
        const height = -f32(Math.log1p(-stream.float()));
        if (f32(height + height) > f32(beyond * beyond)) {
          return ((size >>> 8) & 1 ? -1 : 1) * f32(f32(TAIL) + beyond);
        }
      }
    }
    const step = f32(heights[layer - 1] - heights[layer]);
    if (f32(f32(step * stream.float()) + heights[layer]) < density(x)) return x;
  }
}

/**
 * The latent of a seed.
 * @param {number} seed whole, from 0 to 2**53 - 1
 * @param {number} dim length of the latent
 * @param {"normal"|"uniform"} distribution N(0, 1) or U(-1, 1)
 * @returns {Float32Array}
 */
export function fromSeed(seed, dim, distribution) {
  const stream = new Philox(seed);
  const draw = distribution === "normal" ? () => normal(stream) : () => 2 * stream.double() - 1;
  return Float32Array.from({ length: dim }, draw);
}

/** The latent `share` of the way from one to the other, on the straight line. */
export function lerp(one, other, share) {
  return one.map((value, place) => (1 - share) * value + share * other[place]);
}

/** The same on the arc (Shoemake 1985); parallel latents go straight. */
export function slerp(one, other, share) {
  const dot = (a, b) => a.reduce((sum, value, place) => sum + value * b[place], 0);
  const lengths = Math.sqrt(dot(one, one) * dot(other, other));
  const angle = lengths ? Math.acos(Math.min(1, Math.max(-1, dot(one, other) / lengths))) : 0;
  const sine = Math.sin(angle);
  if (sine < 1e-6) return lerp(one, other, share); // no arc, or more than one
  const parts = [Math.sin((1 - share) * angle) / sine, Math.sin(share * angle) / sine];
  return one.map((value, place) => parts[0] * value + parts[1] * other[place]);
}

/** a - b + c, the latent arithmetic of Radford et al. 2015. */
export function arithmetic(a, b, c) {
  return a.map((value, place) => value - b[place] + c[place]);
}
