package fr.acinq.eclair;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/** Eclair's {@code PgUtils.inTransaction}. */
final class Transactions {
  private Transactions() {}

  interface Work<T> {
    T in(Connection connection) throws SQLException;
  }

  static <T> T inTransaction(DataSource source, Work<T> work) throws SQLException {
    try (Connection connection = source.getConnection()) {
      connection.setAutoCommit(false);
      connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      try {
        T result = work.in(connection);
        connection.commit();
        return result;
      } catch (SQLException | RuntimeException e) {
        connection.rollback();
        throw e;
      } finally {
        connection.setAutoCommit(true);
      }
    }
  }
}
