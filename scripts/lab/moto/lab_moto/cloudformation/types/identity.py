"""Roles, instance profiles and keys."""

import json

from moto.cloudformation.exceptions import ValidationError

from .api import Type, present


class Role(Type):
    changeable = ("Policies",)

    def create(self, lab, properties, name):
        role_name = properties.get("RoleName", name)
        document = properties.plain("AssumeRolePolicyDocument")
        role = lab.iam.create_role(RoleName=role_name, AssumeRolePolicyDocument=json.dumps(document))["Role"]
        self._put_policies(lab, role_name, properties)
        return role_name, {"Arn": role["Arn"], "RoleId": role["RoleId"]}

    def change(self, lab, resource, properties, old):
        self._put_policies(lab, resource.physical_id, properties)
        for removed in {one["PolicyName"] for one in old.get("Policies", [])} - {one["PolicyName"] for one in properties["Policies"]}:
            lab.iam.delete_role_policy(RoleName=resource.physical_id, PolicyName=removed)

    def delete(self, lab, resource):
        for policy in lab.iam.list_role_policies(RoleName=resource.physical_id)["PolicyNames"]:
            lab.iam.delete_role_policy(RoleName=resource.physical_id, PolicyName=policy)
        lab.iam.delete_role(RoleName=resource.physical_id)

    def _put_policies(self, lab, role_name, properties):
        for policy in properties.get("Policies", []):
            lab.iam.put_role_policy(
                RoleName=role_name,
                PolicyName=policy["PolicyName"],
                PolicyDocument=json.dumps(policy.plain("PolicyDocument")),
            )


class InstanceProfile(Type):
    def create(self, lab, properties, name):
        profile_name = properties.get("InstanceProfileName", name)
        profile = lab.iam.create_instance_profile(InstanceProfileName=profile_name)["InstanceProfile"]
        for role in properties["Roles"]:
            lab.iam.add_role_to_instance_profile(InstanceProfileName=profile_name, RoleName=role)
        return profile_name, {"Arn": profile["Arn"]}

    def delete(self, lab, resource):
        for role in resource.properties["Roles"]:
            lab.iam.remove_role_from_instance_profile(InstanceProfileName=resource.physical_id, RoleName=role)
        lab.iam.delete_instance_profile(InstanceProfileName=resource.physical_id)


class Key(Type):
    changeable = ("KeyPolicy",)

    def create(self, lab, properties, name):
        policy = properties.plain("KeyPolicy")
        self._require_principals(lab, policy)
        key = lab.kms.create_key(
            Policy=json.dumps(policy), **present(Description=properties.get("Description"))
        )["KeyMetadata"]
        if properties.get("EnableKeyRotation"):
            lab.kms.enable_key_rotation(KeyId=key["KeyId"])
        return key["KeyId"], {"Arn": key["Arn"], "KeyId": key["KeyId"]}

    def change(self, lab, resource, properties, old):
        policy = properties.plain("KeyPolicy")
        self._require_principals(lab, policy)
        lab.kms.put_key_policy(KeyId=resource.physical_id, PolicyName="default", Policy=json.dumps(policy))

    def delete(self, lab, resource):
        lab.kms.schedule_key_deletion(KeyId=resource.physical_id, PendingWindowInDays=30)

    def _require_principals(self, lab, policy):
        """KMS refuses a policy that names a role which does not exist.
        https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html"""
        for statement in policy["Statement"]:
            principals = statement["Principal"].get("AWS", [])
            for principal in [principals] if isinstance(principals, str) else principals:
                role = principal.split(":role/")[-1].split("/")[-1] if ":role/" in principal else None
                if role is None:
                    continue
                try:
                    lab.iam.get_role(RoleName=role)
                except lab.iam.exceptions.NoSuchEntityException as error:
                    raise ValidationError(
                        message=f"Policy contains a statement with one or more invalid principals: {principal}"
                    ) from error


TYPES = {"AWS::IAM::Role": Role(), "AWS::IAM::InstanceProfile": InstanceProfile(), "AWS::KMS::Key": Key()}
