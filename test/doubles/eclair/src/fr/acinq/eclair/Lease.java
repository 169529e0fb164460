package fr.acinq.eclair;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.UUID;
import javax.sql.DataSource;
import org.postgresql.util.PGInterval;
import org.postgresql.util.PSQLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Eclair's {@code PgUtils.PgLock.LeaseLock}: only the process that holds an unexpired lease may write. */
final class Lease implements Lock {
  private static final Logger log = LoggerFactory.getLogger("fr.acinq.eclair.db.pg.PgUtils$PgLock$");
  private static final String UNDEFINED_TABLE = "42P01";
  private static final int ATTEMPTS = 3;

  private final DataSource source;
  private final UUID instanceId;
  private final Duration interval;

  Lease(DataSource source, UUID instanceId, Duration interval) {
    this.source = source;
    this.instanceId = instanceId;
    this.interval = interval;
  }

  /** The reason for a refused lease, with Eclair's name for it. {@code cause} is the error of the database, or null. */
  private record Refusal(String name, Throwable cause) {}

  /** Takes or renews the lease. A refusal ends the process. */
  void obtain() {
    Refusal refusal = obtain(interval, 1);
    if (refusal != null) logAndStop(refusal);
  }

  /** Requests a lease of one millisecond, which Eclair truncates to zero seconds. */
  void release() {
    Refusal refusal = obtain(Duration.ofMillis(1), 1);
    if (refusal != null) logAndStop(refusal);
  }

  /**
   * A refusal ends the process while the transaction is open. As in Eclair, the release of the lease then waits for the
   * shared lock of this transaction.
   */
  @Override
  public <T> T withLock(Transactions.Work<T> work) throws SQLException {
    return Transactions.inTransaction(
        source,
        connection -> {
          T result = work.in(connection);
          Refusal refusal = check(connection);
          if (refusal == null) return result;
          logAndStop(refusal);
          throw new IllegalStateException("a lock exception occurred");
        });
  }

  private synchronized Refusal obtain(Duration duration, int attempt) {
    if (attempt > ATTEMPTS) return new Refusal("TooManyLockAttempts", null);
    try {
      return Transactions.inTransaction(source, connection -> take(connection, duration));
    } catch (PSQLException e) {
      if (!UNDEFINED_TABLE.equals(e.getSQLState())) return failed(e);
      try (Connection connection = source.getConnection()) {
        log.warn("table lease does not exist, trying to create it");
        createTable(connection);
        return obtain(duration, attempt + 1);
      } catch (SQLException second) {
        return failed(second);
      }
    } catch (SQLException | RuntimeException e) {
      return failed(e);
    }
  }

  private Refusal take(Connection connection, Duration duration) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate("LOCK TABLE lease IN ACCESS EXCLUSIVE MODE");
    }
    Refusal refusal = check(connection);
    boolean first = refusal != null && refusal.name.equals("NoLeaseInfo");
    boolean expired = refusal != null && refusal.name.equals("LeaseExpired");
    if (refusal != null && !first && !expired) return refusal;
    update(connection, duration, first);
    return null;
  }

  /** @return null when this instance holds the lease */
  private Refusal check(Connection connection) {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery("SELECT expires_at, instance, now() > expires_at AS expired FROM lease WHERE id = 1")) {
      if (!row.next()) return new Refusal("NoLeaseInfo", null);
      if (row.getBoolean("expired")) return new Refusal("LeaseExpired", null);
      UUID holder = UUID.fromString(row.getString("instance"));
      return holder.equals(instanceId) ? null : new Refusal("AlreadyLocked(" + holder + ")", null);
    } catch (SQLException | RuntimeException e) {
      return failed(e);
    }
  }

  private void update(Connection connection, Duration duration, boolean first) throws SQLException {
    String sql =
        first
            ? "INSERT INTO lease (expires_at, instance) VALUES (now() + ?, ?)"
            : "UPDATE lease SET expires_at = now() + ?, instance = ? WHERE id = 1";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setObject(1, new PGInterval(duration.toSeconds() + " seconds"));
      statement.setString(2, instanceId.toString());
      statement.executeUpdate();
    }
  }

  private static void createTable(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate(
          "CREATE TABLE IF NOT EXISTS lease (id INTEGER PRIMARY KEY default(1), expires_at TIMESTAMP WITH TIME ZONE"
              + " NOT NULL, instance VARCHAR NOT NULL, CONSTRAINT one_row CHECK (id = 1))");
    }
  }

  private static Refusal failed(Throwable cause) {
    return new Refusal("GeneralLockException", cause);
  }

  /** {@code LockFailureHandler.logAndStop}. */
  private static void logAndStop(Refusal refusal) {
    if (refusal.cause != null) log.error("cannot obtain lock on the database.\n", refusal.cause);
    else log.error("cannot obtain lock on the database ({}).", refusal.name);
    log.error("db locking error is a fatal error");
    System.exit(1);
  }
}
