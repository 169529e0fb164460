"""moto's server with what the lab needs and moto lacks. Each module of `lab_moto` changes one part of moto."""

import sys

from lab_moto import (
    addresses,
    attribute_values,
    elastic_addresses,
    image_copies,
    image_lifecycle,
    image_sharing,
    image_usage,
    parameters,
    secret_stages,
    service_roles,
)
from lab_moto.cloudformation import responses as cloudformation
from moto.server import main

MODULES = (
    addresses,
    attribute_values,
    cloudformation,
    elastic_addresses,
    image_copies,
    image_lifecycle,
    image_sharing,
    image_usage,
    parameters,
    secret_stages,
    service_roles,
)
for module in MODULES:
    module.install()
sys.exit(main())
