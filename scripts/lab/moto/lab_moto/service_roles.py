"""The names of service-linked roles. moto derives some of them from the name of the service in lower case."""

from moto.iam import models

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
NAMES = {"elasticloadbalancing": "ElasticLoadBalancing", "rds": "RDS"}


def install():
    models.SERVICE_NAME_CONVERSION.update(NAMES)
