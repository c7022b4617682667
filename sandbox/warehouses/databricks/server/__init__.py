"""The stand-in's server: the connector's own Thrift processor before real Spark SQL, behind HTTPS.

It runs in an environment of its own (``requirements.txt`` beside this folder) and imports nothing of the product.
"""
