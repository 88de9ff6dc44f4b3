"""`python -m bist_pipeline_tests.signals`: writes the file of the weights of a new model version."""

import sys

from bist_pipeline_tests.signals.published import write

if __name__ == "__main__":
    try:
        sys.stdout.write(f"{write()}\n")
    except FileExistsError as error:
        sys.exit(f"{error.filename} was published and stays: raise MODEL.version in signals/model.py")
