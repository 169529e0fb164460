import { CfnSecurityGroup } from "aws-cdk-lib/aws-ec2";
import { CfnDBInstance, CfnDBParameterGroup, CfnDBSubnetGroup } from "aws-cdk-lib/aws-rds";
import { Construct } from "constructs";
import { acceptFinding } from "../accept-finding.ts";
import { retain } from "../retained.ts";
import type { Network } from "./network.ts";

/** A PostgreSQL database of a node. */
export type Database = {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  /** The secret with the login of the database's owner. */
  readonly ownerSecretArn: string;
  /** The security group that must admit the instances. */
  readonly securityGroupId: string;
};

export type NodeDatabaseProps = {
  readonly name: string;
  readonly network: Network;
  readonly keyArn: string;
  readonly instanceClass: string;
  readonly storageGibibytes: number;
  /** The major version of PostgreSQL. */
  readonly majorVersion: string;
};

/** The days for which RDS can restore each second, its maximum. */
const backupDays = 35;

/**
 * RDS for PostgreSQL: two zones, managed owner secret, TLS only, point-in-time recovery. Eclair's channels are in this database
 * and in no other place.
 */
export class NodeDatabase extends Construct implements Database {
  readonly host: string;
  readonly port = 5432;
  readonly name = "eclair";
  readonly ownerSecretArn: string;
  readonly securityGroupId: string;

  constructor(scope: Construct, id: string, props: NodeDatabaseProps) {
    super(scope, id);
    const { name, network } = props;
    const group = retain(
      new CfnSecurityGroup(this, "SecurityGroup", {
        vpcId: network.vpcId,
        groupDescription: `Database of ${name}`,
        // The stack of the cluster admits the instances. The database itself opens no connection.
        securityGroupEgress: [
          {
            ipProtocol: "icmp",
            fromPort: 252,
            toPort: 86,
            cidrIp: "255.255.255.255/32",
            description: "None",
          },
        ],
      }),
      "DatabaseSecurityGroup",
    );
    this.securityGroupId = group.attrGroupId;
    const subnetIds = Object.values(network.subnetIds).flatMap(({ database }) => database ?? []);
    const subnets = retain(
      new CfnDBSubnetGroup(this, "Subnets", { dbSubnetGroupDescription: `Database of ${name}`, subnetIds }),
      "DatabaseSubnets",
    );
    const parameters = retain(
      new CfnDBParameterGroup(this, "Parameters", {
        family: `postgres${props.majorVersion}`,
        description: `Database of ${name}`,
        parameters: { "rds.force_ssl": "1" },
      }),
      "DatabaseParameters",
    );
    const instance = retain(
      new CfnDBInstance(this, "Instance", {
        dbInstanceIdentifier: name,
        dbName: this.name,
        port: String(this.port),
        engine: "postgres",
        engineVersion: props.majorVersion,
        autoMinorVersionUpgrade: true,
        preferredMaintenanceWindow: "tue:03:00-tue:04:00",
        dbInstanceClass: props.instanceClass,
        multiAz: true,
        storageType: "gp3",
        allocatedStorage: String(props.storageGibibytes),
        maxAllocatedStorage: props.storageGibibytes * 10,
        storageEncrypted: true,
        kmsKeyId: props.keyArn,
        masterUsername: "postgres",
        manageMasterUserPassword: true,
        publiclyAccessible: false,
        dbSubnetGroupName: subnets.ref,
        vpcSecurityGroups: [group.attrGroupId],
        dbParameterGroupName: parameters.ref,
        caCertificateIdentifier: "rds-ca-rsa2048-g1",
        backupRetentionPeriod: backupDays,
        preferredBackupWindow: "02:00-02:30",
        copyTagsToSnapshot: true,
        deleteAutomatedBackups: false,
        deletionProtection: true,
      }),
      "Database",
    );
    acceptFinding(
      instance,
      "W3691",
      "a major version: RDS chooses the current minor version, and upgrades it later",
    );
    acceptFinding(instance, "RDS11", "another port hides nothing: only the instances reach the database");
    this.host = instance.attrEndpointAddress;
    this.ownerSecretArn = instance.attrMasterUserSecretSecretArn;
  }
}
