package fr.acinq.eclair;

import java.sql.SQLException;
import javax.sql.DataSource;

/** Eclair's {@code PgUtils.PgLock}, which encloses the transactions on the databases of the node. */
interface Lock {
  <T> T withLock(Transactions.Work<T> work) throws SQLException;

  /** The lock of {@code lock-type = none}. */
  static Lock none(DataSource source) {
    return new Lock() {
      @Override
      public <T> T withLock(Transactions.Work<T> work) throws SQLException {
        return Transactions.inTransaction(source, work);
      }
    };
  }
}
