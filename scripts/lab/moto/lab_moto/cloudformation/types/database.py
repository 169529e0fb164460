"""Databases and tables."""

from .api import Type, present

# Parameters of RDS with the name of the property.
SAME_NAME = (
    "AutoMinorVersionUpgrade",
    "BackupRetentionPeriod",
    "CopyTagsToSnapshot",
    "DBInstanceClass",
    "DBParameterGroupName",
    "DeletionProtection",
    "EngineVersion",
    "ManageMasterUserPassword",
    "MaxAllocatedStorage",
    "MultiAZ",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
    "PubliclyAccessible",
    "StorageType",
)
ONLY_AT_CREATION = ("DBName", "DBSubnetGroupName", "Engine", "KmsKeyId", "MasterUsername", "StorageEncrypted")


def parameters(properties, names):
    """The parameters of CreateDBInstance and ModifyDBInstance."""
    return present(
        **{name: properties.get(name) for name in names},
        AllocatedStorage=number(properties, "AllocatedStorage"),
        CACertificateIdentifier=properties.get("CACertificateIdentifier"),
        VpcSecurityGroupIds=properties.get("VPCSecurityGroups"),
    )


def number(properties, name):
    return int(properties[name]) if name in properties else None


class DbInstance(Type):
    def create(self, lab, properties, name):
        identifier = properties.get("DBInstanceIdentifier", name)
        lab.rds.create_db_instance(
            DBInstanceIdentifier=identifier,
            **parameters(properties, (*SAME_NAME, *ONLY_AT_CREATION)),
            **present(Port=number(properties, "Port")),
        )
        return identifier, self._attributes(lab, identifier)

    def update(self, lab, resource, properties, old):
        lab.rds.modify_db_instance(
            DBInstanceIdentifier=resource.physical_id, ApplyImmediately=True, **parameters(properties, SAME_NAME)
        )
        return self._attributes(lab, resource.physical_id)

    def delete(self, lab, resource):
        lab.rds.delete_db_instance(DBInstanceIdentifier=resource.physical_id, SkipFinalSnapshot=True)

    def _attributes(self, lab, identifier):
        instance = lab.rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
        return {
            "DBInstanceArn": instance["DBInstanceArn"],
            "Endpoint.Address": instance["Endpoint"]["Address"],
            "Endpoint.Port": str(instance["Endpoint"]["Port"]),
            "MasterUserSecret.SecretArn": instance.get("MasterUserSecret", {}).get("SecretArn", ""),
        }


class DbSubnetGroup(Type):
    def create(self, lab, properties, name):
        # RDS stores these names in lower case.
        group = properties.get("DBSubnetGroupName", name).lower()
        lab.rds.create_db_subnet_group(
            DBSubnetGroupName=group,
            DBSubnetGroupDescription=properties["DBSubnetGroupDescription"],
            SubnetIds=properties["SubnetIds"],
        )
        return group, {}

    def delete(self, lab, resource):
        lab.rds.delete_db_subnet_group(DBSubnetGroupName=resource.physical_id)


class DbParameterGroup(Type):
    changeable = ("Parameters",)

    def create(self, lab, properties, name):
        group = properties.get("DBParameterGroupName", name).lower()
        lab.rds.create_db_parameter_group(
            DBParameterGroupName=group,
            DBParameterGroupFamily=properties["Family"],
            Description=properties["Description"],
        )
        self._set(lab, group, properties)
        return group, {"DBParameterGroupName": group}

    def change(self, lab, resource, properties, old):
        self._set(lab, resource.physical_id, properties)

    def delete(self, lab, resource):
        lab.rds.delete_db_parameter_group(DBParameterGroupName=resource.physical_id)

    def _set(self, lab, group, properties):
        lab.rds.modify_db_parameter_group(
            DBParameterGroupName=group,
            Parameters=[
                {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
                for name, value in properties.plain("Parameters").items()
            ],
        )


class Table(Type):
    changeable = ("PointInTimeRecoverySpecification", "DeletionProtectionEnabled")

    def create(self, lab, properties, name):
        table = properties.get("TableName", name)
        encryption = properties.get("SSESpecification")
        created = lab.dynamodb.create_table(
            TableName=table,
            BillingMode=properties["BillingMode"],
            AttributeDefinitions=properties.plain("AttributeDefinitions"),
            KeySchema=properties.plain("KeySchema"),
            DeletionProtectionEnabled=properties.get("DeletionProtectionEnabled", False),
            **present(
                SSESpecification={"Enabled": encryption["SSEEnabled"], "SSEType": encryption["SSEType"]}
                if encryption
                else None
            ),
        )["TableDescription"]
        self._set(lab, table, properties)
        return table, {"Arn": created["TableArn"]}

    def change(self, lab, resource, properties, old):
        lab.dynamodb.update_table(
            TableName=resource.physical_id,
            DeletionProtectionEnabled=properties.get("DeletionProtectionEnabled", False),
        )
        self._set_recovery(lab, resource.physical_id, properties)

    def delete(self, lab, resource):
        lab.dynamodb.delete_table(TableName=resource.physical_id)

    def _set(self, lab, table, properties):
        expiry = properties.plain("TimeToLiveSpecification")
        if expiry is not None:
            lab.dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=expiry)
        self._set_recovery(lab, table, properties)

    def _set_recovery(self, lab, table, properties):
        recovery = properties.plain("PointInTimeRecoverySpecification") or {"PointInTimeRecoveryEnabled": False}
        lab.dynamodb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=recovery)


TYPES = {
    "AWS::RDS::DBInstance": DbInstance(),
    "AWS::RDS::DBSubnetGroup": DbSubnetGroup(),
    "AWS::RDS::DBParameterGroup": DbParameterGroup(),
    "AWS::DynamoDB::Table": Table(),
}
