using System;

/// <summary>
/// The latents of kgan's seeds: numpy's SeedSequence, Philox4x64-10 and float32 ziggurat, as
/// docs/seeds.md has them step by step. .NET and Unity.
/// </summary>
public sealed class Latents
{
    const double Tail = 3.6541528853610088;
    const double Area = 0.004928673233974658;
    static readonly uint[] Inside = new uint[256];
    static readonly float[] Widths = new float[256];
    static readonly float[] Heights = new float[256];

    readonly ulong[] key = new ulong[2];
    readonly ulong[] words = new ulong[4];
    ulong counter;
    int used = 4;
    bool hasHalf;
    uint half;
    uint constant;

    static Latents()
    {
        var edges = new double[256];
        edges[255] = Tail;
        for (int i = 255; i > 1; i--)
            edges[i - 1] = Math.Sqrt(-2 * Math.Log(Area / edges[i] + Density(edges[i])));
        edges[0] = Area / Density(Tail);
        for (int i = 0; i < 256; i++)
        {
            double ratio = i == 1 ? 0 : (i == 0 ? Tail : edges[i - 1]) / edges[i];
            Inside[i] = (uint)Math.Floor(ratio * (1 << 23) + 0.5);
            Widths[i] = (float)(edges[i] / (1 << 23));
            Heights[i] = i == 0 ? 1 : (float)Density(edges[i]);
        }
    }

    Latents(ulong seed)
    {
        unchecked
        {
            uint[] entropy = { (uint)seed, (uint)(seed >> 32), 0, 0 };
            var pool = new uint[4];
            constant = 0x43b0d7e5;
            for (int i = 0; i < 4; i++) pool[i] = Hash(entropy[i], 0x931e8875);
            for (int from = 0; from < 4; from++)
            {
                for (int to = 0; to < 4; to++)
                {
                    if (from == to) continue;
                    uint mixed = 0xca01f9dd * pool[to] - 0x4973f715 * Hash(pool[from], 0x931e8875);
                    pool[to] = mixed ^ (mixed >> 16);
                }
            }
            constant = 0x8b51f9dd;
            for (int i = 0; i < 4; i++) key[i / 2] |= (ulong)Hash(pool[i], 0x58f38ded) << 32 * (i % 2);
        }
    }

    uint Hash(uint word, uint multiplier)
    {
        unchecked
        {
            word ^= constant;
            constant *= multiplier;
            word *= constant;
            return word ^ (word >> 16);
        }
    }

    /// <summary>The latent of a seed under N(0, 1).</summary>
    public static float[] Normal(ulong seed, int dim)
    {
        var stream = new Latents(seed);
        var latent = new float[dim];
        for (int i = 0; i < dim; i++) latent[i] = stream.NextNormal();
        return latent;
    }

    /// <summary>The same under U(-1, 1).</summary>
    public static float[] Uniform(ulong seed, int dim)
    {
        var stream = new Latents(seed);
        var latent = new float[dim];
        for (int i = 0; i < dim; i++)
            latent[i] = (float)(2 * ((stream.NextULong() >> 11) / 9007199254740992.0) - 1);
        return latent;
    }

    static double Density(double x) => Math.Exp(-0.5 * x * x);

    // The upper 64 of the 128 bits of a product.
    static ulong High(ulong a, ulong b)
    {
        unchecked
        {
            ulong a0 = (uint)a, a1 = a >> 32, b0 = (uint)b, b1 = b >> 32;
            ulong middle = (a0 * b0 >> 32) + (uint)(a0 * b1) + (uint)(a1 * b0);
            return a1 * b1 + (a0 * b1 >> 32) + (a1 * b0 >> 32) + (middle >> 32);
        }
    }

    ulong NextULong()
    {
        if (used == 4)
        {
            unchecked
            {
                const ulong first = 0xd2e7470ee14c6c93, second = 0xca5a826395121157;
                ulong a = ++counter, b = 0, c = 0, d = 0, one = key[0], other = key[1];
                for (int round = 0; round < 10; round++)
                {
                    ulong nextA = High(second, c) ^ b ^ one;
                    ulong nextC = High(first, a) ^ d ^ other;
                    b = second * c;
                    d = first * a;
                    a = nextA;
                    c = nextC;
                    one += 0x9e3779b97f4a7c15;
                    other += 0xbb67ae8584caa73b;
                }
                words[0] = a;
                words[1] = b;
                words[2] = c;
                words[3] = d;
            }
            used = 0;
        }
        return words[used++];
    }

    // The lower half of a word, then its upper half.
    uint NextUInt()
    {
        hasHalf = !hasHalf;
        if (!hasHalf) return half;
        ulong word = NextULong();
        half = (uint)(word >> 32);
        return unchecked((uint)word);
    }

    float NextFloat() => (NextUInt() >> 8) / 16777216f;

    float NextExponential() => (float)-Math.Log(1.0 - NextFloat());

    float NextNormal()
    {
        for (;;)
        {
            uint bits = NextUInt(), layer = bits & 0xff, size = bits >> 9;
            float x = (float)(size * Widths[layer]);
            if ((bits >> 8 & 1) == 1) x = -x;
            if (size < Inside[layer]) return x;
            if (layer == 0)
            {
                for (;;)
                {
                    float beyond = (float)((float)(1 / Tail) * NextExponential());
                    float height = NextExponential();
                    if ((float)(height + height) > (float)(beyond * beyond))
                    {
                        float end = (float)((float)Tail + beyond);
                        return (size >> 8 & 1) == 1 ? -end : end;
                    }
                }
            }
            float step = (float)(Heights[layer - 1] - Heights[layer]);
            float there = (float)((float)(step * NextFloat()) + Heights[layer]);
            if (there < Density(x)) return x;
        }
    }
}
