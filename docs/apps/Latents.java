/**
 * The latents of kgan's seeds: numpy's SeedSequence, Philox4x64-10 and float32 ziggurat, as
 * docs/seeds.md has them step by step. Java 8 and later, Android too; Kotlin calls it as it is.
 */
public final class Latents {
    private static final double TAIL = 3.6541528853610088;
    private static final double AREA = 0.004928673233974658;
    private static final int[] INSIDE = new int[256];
    private static final float[] WIDTHS = new float[256];
    private static final float[] HEIGHTS = new float[256];

    static {
        double[] edges = new double[256];
        edges[255] = TAIL;
        for (int i = 255; i > 1; i--) {
            edges[i - 1] = Math.sqrt(-2 * Math.log(AREA / edges[i] + density(edges[i])));
        }
        edges[0] = AREA / density(TAIL);
        for (int i = 0; i < 256; i++) {
            double ratio = i == 1 ? 0 : (i == 0 ? TAIL : edges[i - 1]) / edges[i];
            INSIDE[i] = (int) Math.round(ratio * (1 << 23));
            WIDTHS[i] = (float) (edges[i] / (1 << 23));
            HEIGHTS[i] = i == 0 ? 1 : (float) density(edges[i]);
        }
    }

    private final long[] key = new long[2];
    private final long[] words = new long[4];
    private long counter = 0;
    private int used = 4;
    private boolean hasHalf = false;
    private int half;
    private int constant;

    private Latents(long seed) {
        int[] entropy = {(int) seed, (int) (seed >>> 32), 0, 0};
        int[] pool = new int[4];
        constant = 0x43b0d7e5;
        for (int i = 0; i < 4; i++) {
            pool[i] = hash(entropy[i], 0x931e8875);
        }
        for (int from = 0; from < 4; from++) {
            for (int to = 0; to < 4; to++) {
                if (from != to) {
                    int mixed = 0xca01f9dd * pool[to] - 0x4973f715 * hash(pool[from], 0x931e8875);
                    pool[to] = mixed ^ (mixed >>> 16);
                }
            }
        }
        constant = 0x8b51f9dd;
        for (int i = 0; i < 4; i++) {
            key[i / 2] |= (hash(pool[i], 0x58f38ded) & 0xffffffffL) << 32 * (i % 2);
        }
    }

    private int hash(int word, int multiplier) {
        word ^= constant;
        constant *= multiplier;
        word *= constant;
        return word ^ (word >>> 16);
    }

    /** The latent of a seed, a whole number from 0 on, under N(0, 1). */
    public static float[] normal(long seed, int dim) {
        Latents stream = new Latents(seed);
        float[] latent = new float[dim];
        for (int i = 0; i < dim; i++) {
            latent[i] = stream.nextNormal();
        }
        return latent;
    }

    /** The same under U(-1, 1). */
    public static float[] uniform(long seed, int dim) {
        Latents stream = new Latents(seed);
        float[] latent = new float[dim];
        for (int i = 0; i < dim; i++) {
            latent[i] = (float) (2 * ((stream.nextLong() >>> 11) / 9007199254740992.0) - 1);
        }
        return latent;
    }

    private static double density(double x) {
        return Math.exp(-0.5 * x * x);
    }

    /** The upper 64 of the 128 bits of a product, of numbers without a sign. */
    private static long high(long a, long b) {
        long a0 = a & 0xffffffffL, a1 = a >>> 32, b0 = b & 0xffffffffL, b1 = b >>> 32;
        long middle = (a0 * b0 >>> 32) + (a0 * b1 & 0xffffffffL) + (a1 * b0 & 0xffffffffL);
        return a1 * b1 + (a0 * b1 >>> 32) + (a1 * b0 >>> 32) + (middle >>> 32);
    }

    private long nextLong() {
        if (used == 4) {
            long first = 0xd2e7470ee14c6c93L, second = 0xca5a826395121157L;
            long a = ++counter, b = 0, c = 0, d = 0, one = key[0], other = key[1];
            for (int round = 0; round < 10; round++) {
                long nextA = high(second, c) ^ b ^ one;
                long nextC = high(first, a) ^ d ^ other;
                b = second * c;
                d = first * a;
                a = nextA;
                c = nextC;
                one += 0x9e3779b97f4a7c15L;
                other += 0xbb67ae8584caa73bL;
            }
            words[0] = a;
            words[1] = b;
            words[2] = c;
            words[3] = d;
            used = 0;
        }
        return words[used++];
    }

    /** The lower half of a word, then its upper half. */
    private int nextInt() {
        if (hasHalf) {
            hasHalf = false;
            return half;
        }
        long word = nextLong();
        hasHalf = true;
        half = (int) (word >>> 32);
        return (int) word;
    }

    private float nextFloat() {
        return (nextInt() >>> 8) / 16777216f;
    }

    private float nextExponential() {
        return (float) -Math.log(1.0 - nextFloat());
    }

    private float nextNormal() {
        for (;;) {
            int bits = nextInt(), layer = bits & 0xff, size = bits >>> 9;
            float x = size * WIDTHS[layer];
            if ((bits >>> 8 & 1) == 1) {
                x = -x;
            }
            if (size < INSIDE[layer]) {
                return x;
            }
            if (layer == 0) {
                for (;;) {
                    float beyond = (float) (1 / TAIL) * nextExponential();
                    float height = nextExponential();
                    if (height + height > beyond * beyond) {
                        float end = (float) TAIL + beyond;
                        return (size >>> 8 & 1) == 1 ? -end : end;
                    }
                }
            }
            float step = HEIGHTS[layer - 1] - HEIGHTS[layer];
            if (step * nextFloat() + HEIGHTS[layer] < density(x)) {
                return x;
            }
        }
    }
}
