"""Versions of secrets. The version that a read without a stage returns. It is the version with the stage AWSCURRENT, also after the stage was moved.
moto continues to return, and to demote at the next PutSecretValue, the version that had the stage first.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html"""

from moto.rds.models import MasterUserSecret
from moto.secretsmanager.models import SecretsManagerBackend

update_secret_version_stage = SecretsManagerBackend.update_secret_version_stage


def update_with_default(backend, secret_id, version_stage, remove_from_version_id, move_to_version_id):
    result = update_secret_version_stage(
        backend, secret_id, version_stage, remove_from_version_id, move_to_version_id
    )
    if version_stage == "AWSCURRENT" and move_to_version_id:
        backend.secrets[secret_id].set_default_version_id(move_to_version_id)
    return result


def note_rotation(secret):
    """The control of the lab changes the password and the secret (`databases.ts`). moto would store a version without a value."""
    secret._status = "rotating"


def install():
    MasterUserSecret.rotate_secret = note_rotation
    SecretsManagerBackend.update_secret_version_stage = update_with_default
