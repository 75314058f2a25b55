"""The random numbers of a GAN's train step, the same on one replica as on several."""

from kgan.layers import draws


class Draws:
    """The part of `GAN` that draws, from its `seed_generator`."""

    def draw_latents(self, batch_size, seed_generator=None):
        """The next training latents, float32 (batch_size, latent_dim).

        Args:
            batch_size: how many.
            seed_generator: another keras.random.SeedGenerator to draw from.

        A replica of a strategy gets its own rows of the whole batch's.
        """
        seed = (seed_generator or self.seed_generator).next()

        def draw(n):
            shape = (n, self.latent_dim)
            if self.latent_distribution == "uniform":
                return draws.uniform(seed, shape, -1.0, 1.0)
            return draws.normal(seed, shape)

        return draws.of_this_replica(draw, batch_size)

    def draw_uniform(self, batch_size):
        """The next numbers of U(0, 1) that a step needs, float32 (batch_size,)."""
        seed = self.seed_generator.next()
        return draws.of_this_replica(lambda n: draws.uniform(seed, (n,)), batch_size)

    def draw_seeds(self, n):
        """The next n seeds of stateless draws, int32 (n, 2), the same for every replica."""
        return draws.seeds(self.seed_generator.next(), n)
