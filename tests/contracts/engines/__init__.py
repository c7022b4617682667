"""The engines that the source contract is run against, one module each."""
