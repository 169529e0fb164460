import { CfnTable } from "aws-cdk-lib/aws-dynamodb";
import { Construct } from "constructs";
import { tableKeys } from "../bootstrap/contract/record/keys.ts";
import { retain } from "./retained.ts";

/**
 * The DynamoDB table of the cluster records. One table serves all clusters of an account and region: a node id that a record
 * claims belongs to one cluster.
 */
export class ClusterTable extends Construct {
  constructor(scope: Construct, id: string, { tableName }: { readonly tableName: string }) {
    super(scope, id);
    const { partition, sort, expiry } = tableKeys;
    retain(
      new CfnTable(this, "Table", {
        tableName,
        billingMode: "PAY_PER_REQUEST",
        attributeDefinitions: [
          { attributeName: partition, attributeType: "S" },
          { attributeName: sort, attributeType: "S" },
        ],
        keySchema: [
          { attributeName: partition, keyType: "HASH" },
          { attributeName: sort, keyType: "RANGE" },
        ],
        timeToLiveSpecification: { enabled: true, attributeName: expiry },
        pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
        deletionProtectionEnabled: true,
        // A key of AWS: with a customer managed key, every role that uses the table would need that key as well.
        sseSpecification: { sseEnabled: true, sseType: "KMS" },
      }),
      "ClusterTable",
    );
  }
}
