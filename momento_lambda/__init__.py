"""A remote cache as a first-class part of a Python AWS Lambda function."""

from momento_lambda.version import __version__

__all__ = ["__version__"]
