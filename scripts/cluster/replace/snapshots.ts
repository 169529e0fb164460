import {
  DBClusterSnapshotNotFoundFault,
  DBSnapshotNotFoundFault,
  DescribeDBClustersCommand,
  DescribeDBClusterSnapshotsCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  type RDSClient,
} from "@aws-sdk/client-rds";

/** A snapshot of an RDS instance or of a cluster (Aurora, Multi-AZ). */
export type Snapshot = {
  readonly status: string | undefined;
  readonly createdAt: Date | undefined;
  /** The endpoint of the database that the snapshot was taken of. */
  readonly host: string | undefined;
};

/** Finds a snapshot by its identifier. RDS has separate calls for the snapshots of instances and of clusters. */
export async function findSnapshot(rds: RDSClient, id: string): Promise<Snapshot | undefined> {
  return (await findInstanceSnapshot(rds, id)) ?? (await findClusterSnapshot(rds, id));
}

async function findInstanceSnapshot(rds: RDSClient, id: string): Promise<Snapshot | undefined> {
  const snapshot = await unlessMissing(DBSnapshotNotFoundFault, async () => {
    const { DBSnapshots } = await rds.send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: id }));
    return DBSnapshots?.[0];
  });
  if (snapshot === undefined) return undefined;
  const { DBInstances } = await rds.send(
    new DescribeDBInstancesCommand({ DBInstanceIdentifier: snapshot.DBInstanceIdentifier }),
  );
  return {
    status: snapshot.Status,
    // A copy of a snapshot has the time of the copy in SnapshotCreateTime.
    createdAt: snapshot.OriginalSnapshotCreateTime ?? snapshot.SnapshotCreateTime,
    host: DBInstances?.[0]?.Endpoint?.Address,
  };
}

async function findClusterSnapshot(rds: RDSClient, id: string): Promise<Snapshot | undefined> {
  const snapshot = await unlessMissing(DBClusterSnapshotNotFoundFault, async () => {
    const { DBClusterSnapshots } = await rds.send(
      new DescribeDBClusterSnapshotsCommand({ DBClusterSnapshotIdentifier: id }),
    );
    return DBClusterSnapshots?.[0];
  });
  if (snapshot === undefined) return undefined;
  const { DBClusters } = await rds.send(
    new DescribeDBClustersCommand({ DBClusterIdentifier: snapshot.DBClusterIdentifier }),
  );
  return {
    status: snapshot.Status,
    createdAt: snapshot.SnapshotCreateTime,
    host: DBClusters?.[0]?.Endpoint,
  };
}

async function unlessMissing<T>(
  missing: new (...args: never[]) => Error,
  find: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof missing) return undefined;
    throw error;
  }
}
