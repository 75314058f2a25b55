"""A keras.Model made of two networks, saved and made again with both."""

import keras

from kgan.training.networks import seed_states


class NetworkPair(keras.Model):
    """What `GAN` and `Autoencoder` share: a config that holds two whole networks.

    Every random seed's state is saved too, which Keras itself leaves out.

    Subclasses name the networks' attributes in `roles`, and give `arguments()`,
    the rest of what they were made with.
    """

    roles = ()

    def arguments(self):
        raise NotImplementedError

    def get_config(self):
        networks = {
            role: keras.saving.serialize_keras_object(getattr(self, role)) for role in self.roles
        }
        return networks | self.arguments() | {"name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        networks = {
            role: keras.saving.deserialize_keras_object(config[role], custom_objects=custom_objects)
            for role in cls.roles
        }
        return cls(**(config | networks))

    def save_own_variables(self, store):
        super().save_own_variables(store)
        for index, state in enumerate(seed_states(self)):
            store[f"seed_{index}"] = state

    def load_own_variables(self, store):
        states = {key: store[key] for key in store.keys() if key.startswith("seed_")}
        super().load_own_variables({k: store[k] for k in store.keys() if k not in states})
        for index, state in enumerate(seed_states(self)):
            state.assign(states[f"seed_{index}"])
