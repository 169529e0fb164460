"""moto's server with what the lab needs and moto lacks. Each module of `lab_moto` changes one part of moto."""

import sys

from lab_moto import addresses, image_copies, image_lifecycle, image_sharing, image_usage, parameters
from moto.server import main

for module in (addresses, image_copies, image_sharing, image_lifecycle, image_usage, parameters):
    module.install()
sys.exit(main())
