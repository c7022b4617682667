"""The places that data is carried to: a wire client, an encoder and a sink each."""
