// The latents of kgan's seeds, in C99 and C++: numpy's SeedSequence, Philox4x64-10 and float32
// ziggurat, as docs/seeds.md has them step by step. Link the maths library (-lm).
//
//     float latents[100];
//     kgan_normal(0, latents, 100);
#ifndef KGAN_LATENTS_H
#define KGAN_LATENTS_H

#include <math.h>
#include <stdint.h>

typedef struct {
    uint64_t key[2], counter, words[4];
    int used;          // of the four words
    int has_half;      // the upper half of a word is still to be given
    uint32_t half;
} kgan_stream;

static inline uint32_t kgan_hash(uint32_t word, uint32_t *constant, uint32_t multiplier) {
    word ^= *constant;
    *constant *= multiplier;
    word *= *constant;
    return word ^ (word >> 16);
}

static inline kgan_stream kgan_seeded(uint64_t seed) {
    const uint32_t entropy[4] = {(uint32_t)seed, (uint32_t)(seed >> 32), 0, 0};
    uint32_t pool[4], words[4], constant = 0x43b0d7e5u;
    for (int i = 0; i < 4; i++) pool[i] = kgan_hash(entropy[i], &constant, 0x931e8875u);
    for (int from = 0; from < 4; from++) {
        for (int to = 0; to < 4; to++) {
            if (from == to) continue;
            uint32_t hashed = kgan_hash(pool[from], &constant, 0x931e8875u);
            uint32_t mixed = 0xca01f9ddu * pool[to] - 0x4973f715u * hashed;
            pool[to] = mixed ^ (mixed >> 16);
        }
    }
    constant = 0x8b51f9ddu;
    for (int i = 0; i < 4; i++) words[i] = kgan_hash(pool[i], &constant, 0x58f38dedu);
    kgan_stream stream = {{0, 0}, 0, {0, 0, 0, 0}, 4, 0, 0};
    stream.key[0] = words[0] | (uint64_t)words[1] << 32;
    stream.key[1] = words[2] | (uint64_t)words[3] << 32;
    return stream;
}

// The upper 64 of the 128 bits of a product.
static inline uint64_t kgan_high(uint64_t a, uint64_t b) {
    uint64_t a0 = a & 0xffffffffu, a1 = a >> 32, b0 = b & 0xffffffffu, b1 = b >> 32;
    uint64_t middle = (a0 * b0 >> 32) + (a0 * b1 & 0xffffffffu) + (a1 * b0 & 0xffffffffu);
    return a1 * b1 + (a0 * b1 >> 32) + (a1 * b0 >> 32) + (middle >> 32);
}

static inline uint64_t kgan_uint64(kgan_stream *stream) {
    if (stream->used == 4) {
        const uint64_t first = 0xd2e7470ee14c6c93u, second = 0xca5a826395121157u;
        uint64_t a = ++stream->counter, b = 0, c = 0, d = 0;
        uint64_t one = stream->key[0], other = stream->key[1];
        for (int round = 0; round < 10; round++) {
            uint64_t next_a = kgan_high(second, c) ^ b ^ one;
            uint64_t next_c = kgan_high(first, a) ^ d ^ other;
            b = second * c;
            d = first * a;
            a = next_a;
            c = next_c;
            one += 0x9e3779b97f4a7c15u;
            other += 0xbb67ae8584caa73bu;
        }
        stream->words[0] = a;
        stream->words[1] = b;
        stream->words[2] = c;
        stream->words[3] = d;
        stream->used = 0;
    }
    return stream->words[stream->used++];
}

// The lower half of a word, then its upper half.
static inline uint32_t kgan_uint32(kgan_stream *stream) {
    if (stream->has_half) {
        stream->has_half = 0;
        return stream->half;
    }
    uint64_t word = kgan_uint64(stream);
    stream->has_half = 1;
    stream->half = (uint32_t)(word >> 32);
    return (uint32_t)word;
}

static inline float kgan_float(kgan_stream *stream) {
    return (float)(kgan_uint32(stream) >> 8) * (1.0f / 16777216.0f);
}

typedef struct {
    uint32_t inside[256];
    float widths[256], heights[256];
} kgan_layers;

#define KGAN_TAIL 3.6541528853610088
#define KGAN_AREA 0.004928673233974658

static inline double kgan_density(double x) { return exp(-0.5 * x * x); }

static inline kgan_layers kgan_ziggurat(void) {
    kgan_layers layers;
    double edges[256];
    edges[255] = KGAN_TAIL;
    for (int i = 255; i > 1; i--) {
        edges[i - 1] = sqrt(-2 * log(KGAN_AREA / edges[i] + kgan_density(edges[i])));
    }
    edges[0] = KGAN_AREA / kgan_density(KGAN_TAIL);
    for (int i = 0; i < 256; i++) {
        double ratio = i == 1 ? 0 : (i ? edges[i - 1] : KGAN_TAIL) / edges[i];
        layers.inside[i] = (uint32_t)floor(ratio * 8388608 + 0.5);
        layers.widths[i] = (float)(edges[i] / 8388608);
        layers.heights[i] = (float)(i ? kgan_density(edges[i]) : 1);
    }
    return layers;
}

static inline float kgan_exponential(kgan_stream *stream) {
    return -log1pf(-kgan_float(stream));
}

static inline float kgan_one_normal(kgan_stream *stream, const kgan_layers *layers) {
    for (;;) {
        uint32_t bits = kgan_uint32(stream);
        uint32_t layer = bits & 0xff, size = bits >> 9;
        float x = (float)size * layers->widths[layer];
        if (bits >> 8 & 1) x = -x;
        if (size < layers->inside[layer]) return x;
        if (layer == 0) {
            for (;;) {
                float beyond = (float)(1 / KGAN_TAIL) * kgan_exponential(stream);
                float height = kgan_exponential(stream);
                if (height + height > beyond * beyond) {
                    float end = (float)KGAN_TAIL + beyond;
                    return size >> 8 & 1 ? -end : end;
                }
            }
        }
        float lower = layers->heights[layer], step = layers->heights[layer - 1] - lower;
        if (step * kgan_float(stream) + lower < kgan_density(x)) return x;
    }
}

// The latent of a seed under N(0, 1): `dim` floats.
static inline void kgan_normal(uint64_t seed, float *latent, int dim) {
    kgan_layers layers = kgan_ziggurat();
    kgan_stream stream = kgan_seeded(seed);
    for (int i = 0; i < dim; i++) latent[i] = kgan_one_normal(&stream, &layers);
}

// The same under U(-1, 1).
static inline void kgan_uniform(uint64_t seed, float *latent, int dim) {
    kgan_stream stream = kgan_seeded(seed);
    for (int i = 0; i < dim; i++) {
        double share = (double)(kgan_uint64(&stream) >> 11) / 9007199254740992.0;
        latent[i] = (float)(2 * share - 1);
    }
}

#endif
