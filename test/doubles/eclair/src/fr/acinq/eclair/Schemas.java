package fr.acinq.eclair;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import javax.sql.DataSource;
import org.slf4j.LoggerFactory;

/**
 * The tables of Eclair's databases and their versions, in the order of {@code Databases.PostgresDatabases}. Each database is
 * created or migrated in a separate transaction, without a check of the lease.
 */
final class Schemas {
  private Schemas() {}

  /**
   * @param oldest the oldest version that this Eclair can migrate; {@code version} when it can migrate none
   */
  private record Database(String name, String eclairClass, int version, int oldest) {}

  private static List<Database> databases() {
    int channels = Release.CURRENT.channels();
    return List.of(
        new Database("network", "PgNetworkDb", 4, 2),
        new Database("liquidity", "PgLiquidityDb", 1, 1),
        new Database("audit", "PgAuditDb", Release.CURRENT.audit(), 4),
        // Eclair 0.13.1 and later cannot read the channel data of versions before 0.13.0.
        new Database("channels", "PgChannelsDb", channels, channels == 11 ? 2 : 11),
        new Database("peers", "PgPeersDb", 5, 1),
        new Database("payments", "PgPaymentsDb", 8, 4),
        new Database("offers", "PgOffersDb", 1, 1),
        new Database("pending_relay", "PgPendingCommandsDb", 3, 1));
  }

  static void open(DataSource source) throws SQLException {
    if (Release.CURRENT.channels() > 11)
      Transactions.inTransaction(source, connection -> checkChannelsVersion(connection));
    for (Database database : databases())
      Transactions.inTransaction(source, connection -> open(connection, database));
  }

  private static Void open(Connection connection, Database database) throws SQLException {
    Integer found = version(connection, database.name);
    int current = database.version;
    try (Statement statement = connection.createStatement()) {
      if (found == null) {
        statement.execute(sql(database.name + "-" + current));
      } else if (found >= database.oldest && found < current) {
        LoggerFactory.getLogger("fr.acinq.eclair.db.pg." + database.eclairClass)
            .warn("migrating db {}, found version={} current={}", database.name, found, current);
        for (int step = found; step < current; step++) {
          String migration = sql(database.name + "-" + step + "-to-" + (step + 1));
          if (migration != null) statement.execute(migration);
        }
      } else if (found != current) {
        throw new RuntimeException("Unknown version of DB " + database.name + " found, version=" + found);
      }
      statement.executeUpdate(
          "INSERT INTO versions VALUES ('%s', %d) ON CONFLICT (db_name) DO UPDATE SET version = EXCLUDED.version"
              .formatted(database.name, current));
    }
    return null;
  }

  /** Eclair's {@code JdbcUtils.checkChannelsDbVersion}. Its message differs between 0.13.1 and 0.14. */
  private static Void checkChannelsVersion(Connection connection) throws SQLException {
    Integer found = version(connection, "channels");
    boolean from14 = Release.CURRENT.audit() > 13;
    if (found != null && found < 11)
      throw new IllegalArgumentException(
          "You are updating from a version of eclair older than v0.13.0: please update to the v0.13.0 release first"
              + " to migrate your channel data, "
              + (from14 ? "then to the v0.13.1 release to migrate your closed channels, " : "")
              + "and afterwards you'll be able to update to the latest version.");
    if (found != null && found < 12 && from14)
      throw new IllegalArgumentException(
          "You are updating from a version of eclair older than v0.13.1: please update to the v0.13.1 release first"
              + " to migrate your closed channels, and afterwards you'll be able to update to the latest version.");
    return null;
  }

  /** @return null when the database does not exist */
  private static Integer version(Connection connection, String name) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate(
          "CREATE TABLE IF NOT EXISTS versions (db_name TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL)");
      try (ResultSet row = statement.executeQuery("SELECT version FROM versions WHERE db_name='" + name + "'")) {
        return row.next() ? row.getInt("version") : null;
      }
    }
  }

  /** @return null when the file does not exist, because the migration changes only the version */
  private static String sql(String name) {
    try (InputStream file = Schemas.class.getResourceAsStream("/sql/" + name + ".sql")) {
      return file == null ? null : new String(file.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException(name, e);
    }
  }
}
