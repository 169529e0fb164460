package fr.acinq.eclair;

import java.sql.SQLException;
import javax.sql.DataSource;

/** Eclair's {@code PgUtils.PgLock}: what a transaction of the node's own databases passes through. */
interface Lock {
  <T> T withLock(Transactions.Work<T> work) throws SQLException;

  /** {@code lock-type = none}. */
  static Lock none(DataSource source) {
    return new Lock() {
      @Override
      public <T> T withLock(Transactions.Work<T> work) throws SQLException {
        return Transactions.inTransaction(source, work);
      }
    };
  }
}
