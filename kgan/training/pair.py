"""A keras.Model made of two networks, saved and made again with both."""

import keras


class NetworkPair(keras.Model):
    """What `GAN` and `Autoencoder` share: a config that holds two whole networks.

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
