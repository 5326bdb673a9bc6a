"""What every Python runtime of Lambda brings along: a layer that ships it again is larger, and hides the runtime's."""

PROVIDED_BY_LAMBDA = frozenset(
    {
        "boto3",
        "botocore",
        "jmespath",
        "python-dateutil",
        "s3transfer",
        "simplejson",
        "six",
        "snapshot-restore-py",
        "urllib3",
    }
)
