package fr.acinq.eclair;

import com.typesafe.config.Config;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Eclair's {@code PostgresDatabases.SafetyChecks}: the age and the number of rows in the database. */
final class SafetyChecks {
  private static final Logger log = LoggerFactory.getLogger("fr.acinq.eclair.db.Databases$");

  private SafetyChecks() {}

  static void run(Connection connection, Config config) throws SQLException {
    boolean withClosed = Release.CURRENT.channels() == 11;
    String ages = "created_timestamp, last_payment_sent_timestamp, last_payment_received_timestamp, last_connected_timestamp";
    maxAge(connection, "local channel", config.getDuration("max-age.local-channels"),
        "SELECT MAX(GREATEST(" + ages + (withClosed ? ", closed_timestamp" : "") + ")) FROM local.channels"
            + (withClosed ? " WHERE NOT is_closed" : ""));
    maxAge(connection, "network node", config.getDuration("max-age.network-nodes"),
        "SELECT MAX((json->'timestamp'->>'iso')::timestamptz) FROM network.nodes");
    maxAge(connection, "audit relayed", config.getDuration("max-age.audit-relayed"),
        "SELECT MAX(timestamp) FROM audit.relayed");
    minCount(connection, "local channels", config.getInt("min-count.local-channels"), "local.channels");
    minCount(connection, "network node", config.getInt("min-count.network-nodes"), "network.nodes");
    minCount(connection, "network channels", config.getInt("min-count.network-channels"), "network.public_channels");
  }

  private static void maxAge(Connection connection, String name, Duration max, String sql) throws SQLException {
    try (Statement statement = connection.createStatement(); ResultSet row = statement.executeQuery(sql)) {
      row.next();
      Timestamp newest = row.getTimestamp("max");
      Failure.require(newest != null, "db check failed: no " + name + " found");
      Duration age = Duration.ofMillis(System.currentTimeMillis() - newest.getTime());
      Failure.require(
          age.compareTo(max) <= 0,
          "db check failed: most recent %s is too old (%d minutes > %d minutes)"
              .formatted(name, age.toMinutes(), max.toMinutes()));
      log.info("db check ok: max age {} minutes <= {} minutes for {}", age.toMinutes(), max.toMinutes(), name);
    }
  }

  private static void minCount(Connection connection, String name, int min, String table) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT COUNT(*) FROM " + table)) {
      row.next();
      int count = row.getInt("count");
      Failure.require(
          count >= min, "db check failed: min count not reached for %s (%d < %d)".formatted(name, count, min));
      log.info("db check ok: min count {} > {} for {}", count, min, name);
    }
  }
}
