package fr.acinq.eclair;

import com.typesafe.config.Config;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Eclair's {@code Databases}: opens the database in Eclair's order, from the check of the URL to the schemas. */
final class Databases {
  private static final Logger log = LoggerFactory.getLogger("fr.acinq.eclair.db.Databases$");
  /** The delay of Eclair between the release of the lease and the end of the pool. */
  private static final long POOL_CLOSE_DELAY_MILLIS = 3000;

  private Databases() {}

  static Payments open(Config config, UUID instanceId, File chaindir) throws IOException, SQLException {
    Path urlFile = chaindir.toPath().resolve("last_jdbcurl");
    switch (config.getString("driver")) {
      case "sqlite" -> {
        checkIfUrlIsUnchanged("sqlite", urlFile);
        return Payments.inMemory();
      }
      case "postgres" -> {
        return postgres(config.getConfig("postgres"), instanceId, urlFile);
      }
      default -> throw new RuntimeException("unknown database driver `" + config.getString("driver") + "`");
    }
  }

  private static Payments postgres(Config config, UUID instanceId, Path urlFile) throws IOException, SQLException {
    HikariConfig pool = pool(config);
    boolean leased =
        switch (config.getString("lock-type")) {
          case "none" -> false;
          case "lease" -> true;
          default -> throw new RuntimeException("unknown postgres lock type: `" + config.getString("lock-type") + "`");
        };
    Config lease = config.getConfig("lease");
    if (leased) {
      Failure.require(
          lease.getDuration("interval").toSeconds() > lease.getDuration("renew-interval").toSeconds(),
          "invalid configuration: `db.postgres.lease.interval` must be greater than `db.postgres.lease.renew-interval`");
      pool.setConnectionInitSql("SET lock_timeout TO '" + lease.getDuration("lock-timeout").toSeconds() + "s'");
    }

    checkIfUrlIsUnchanged(pool.getJdbcUrl(), urlFile);
    HikariDataSource source = new HikariDataSource(pool);
    Lock lock = leased ? lease(source, instanceId, lease) : Lock.none(source);
    Schemas.open(source);
    if (!isEmpty(config, "readonly-user")) grantReadAccess(source, config.getString("readonly-user"));
    if (config.getBoolean("reset-json-columns")) log.warn("resetting json columns...");
    if (config.getBoolean("safety-checks.enabled"))
      Transactions.inTransaction(
          source,
          connection -> {
            SafetyChecks.run(connection, config.getConfig("safety-checks"));
            return null;
          });
    return Payments.in(lock);
  }

  private static HikariConfig pool(Config config) {
    HikariConfig pool = new HikariConfig();
    pool.setJdbcUrl(
        "jdbc:postgresql://%s:%d/%s"
            .formatted(config.getString("host"), config.getInt("port"), config.getString("database")));
    if (!isEmpty(config, "username")) pool.setUsername(config.getString("username"));
    if (!isEmpty(config, "password")) pool.setPassword(config.getString("password"));
    pool.setMaximumPoolSize(config.getInt("pool.max-size"));
    pool.setConnectionTimeout(config.getDuration("pool.connection-timeout").toMillis());
    pool.setIdleTimeout(config.getDuration("pool.idle-timeout").toMillis());
    pool.setMaxLifetime(config.getDuration("pool.max-life-time").toMillis());
    return pool;
  }

  private static boolean isEmpty(Config config, String key) {
    return config.getIsNull(key) || config.getString(key).isEmpty();
  }

  private static Lease lease(HikariDataSource source, UUID instanceId, Config config) {
    Lease lease = new Lease(source, instanceId, Duration.ofSeconds(config.getDuration("interval").toSeconds()));
    lease.obtain();
    long renewal = config.getDuration("renew-interval").toSeconds();
    ScheduledFuture<?> renewalTask =
        Executors.newSingleThreadScheduledExecutor(Daemon.named("lease"))
            .scheduleWithFixedDelay(lease::obtain, renewal, renewal, TimeUnit.SECONDS);
    if (config.getBoolean("auto-release-at-shutdown")) Shutdown.addHook(() -> release(lease, renewalTask, source));
    return lease;
  }

  private static void release(Lease lease, ScheduledFuture<?> renewalTask, HikariDataSource source) {
    log.info("cancelling the pg lock renew task...");
    renewalTask.cancel(false);
    log.info("releasing the curent pg lock...");
    lease.release();
    try {
      Thread.sleep(POOL_CLOSE_DELAY_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    log.info("closing the connection pool...");
    source.close();
  }

  private static void grantReadAccess(HikariDataSource source, String user) throws SQLException {
    Transactions.inTransaction(source, connection -> grantReadAccess(connection, user));
  }

  private static Void grantReadAccess(Connection connection, String user) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String schema : List.of("public", "audit", "local", "network", "payments", "liquidity")) {
        log.info("granting read-only access to user={} schema={}", user, schema);
        statement.executeUpdate("GRANT USAGE ON SCHEMA " + schema + " TO " + user);
        statement.executeUpdate("GRANT SELECT ON ALL TABLES IN SCHEMA " + schema + " TO " + user);
      }
    }
    return null;
  }

  /** Ends the start before the first connection when the database URL differs from the URL of the last start. */
  private static void checkIfUrlIsUnchanged(String url, Path file) throws IOException {
    if (!Files.exists(file)) {
      Files.write(file, List.of(url));
      return;
    }
    String before = Files.readAllLines(file).get(0);
    if (!before.equals(url))
      throw new Failure(
          "The database URL has changed since the last start. It was `" + before + "`, now it's `" + url + "`. If this"
              + " was intended, make sure you have migrated your data, otherwise your channels will be force-closed and"
              + " you may lose funds.");
  }
}
