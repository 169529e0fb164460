package fr.acinq.eclair;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.bouncycastle.util.encoders.Hex;

/** The invoices of Eclair's {@code PgPaymentsDb}. */
interface Payments {
  void add(Invoice invoice, byte[] preimage) throws SQLException;

  /** @return null when the invoice does not exist */
  Invoice get(String paymentHash) throws SQLException;

  /** @param from,to seconds since 1970, exclusive */
  List<Invoice> list(long from, long to) throws SQLException;

  /** Eclair's {@code InvoicePurger}: deletes unpaid invoices that have expired by the clock of this host. */
  void purge() throws SQLException;

  static Payments in(Lock lock) {
    return new InDatabase(lock);
  }

  /** Replaces the SQLite file of Eclair. */
  static Payments inMemory() {
    return new InMemory();
  }

  /** As in Eclair, every access uses the lock, also a read. */
  record InDatabase(Lock lock) implements Payments {
    @Override
    public void add(Invoice invoice, byte[] preimage) throws SQLException {
      lock.withLock(
          connection -> {
            try (PreparedStatement statement =
                connection.prepareStatement(
                    "INSERT INTO payments.received (payment_hash, payment_preimage, payment_type, payment_request,"
                        + " created_at, expire_at) VALUES (?, ?, ?, ?, ?, ?)")) {
              statement.setString(1, invoice.paymentHash());
              statement.setString(2, Hex.toHexString(preimage));
              statement.setString(3, "Standard");
              statement.setString(4, invoice.serialized());
              statement.setTimestamp(5, new Timestamp(invoice.timestamp() * 1000));
              statement.setTimestamp(6, new Timestamp((invoice.timestamp() + invoice.expiry()) * 1000));
              return statement.executeUpdate();
            }
          });
    }

    @Override
    public Invoice get(String paymentHash) throws SQLException {
      List<Invoice> found =
          lock.withLock(
              connection -> {
                try (PreparedStatement statement =
                    connection.prepareStatement("SELECT * FROM payments.received WHERE payment_hash = ?")) {
                  statement.setString(1, paymentHash);
                  return invoices(statement);
                }
              });
      return found.isEmpty() ? null : found.get(0);
    }

    @Override
    public List<Invoice> list(long from, long to) throws SQLException {
      return lock.withLock(
          connection -> {
            try (PreparedStatement statement =
                connection.prepareStatement(
                    "SELECT * FROM payments.received WHERE created_at > ? AND created_at < ? ORDER BY created_at")) {
              statement.setTimestamp(1, new Timestamp(from * 1000));
              statement.setTimestamp(2, new Timestamp(to * 1000));
              return invoices(statement);
            }
          });
    }

    @Override
    public void purge() throws SQLException {
      lock.withLock(
          connection -> {
            try (PreparedStatement statement =
                connection.prepareStatement(
                    "DELETE FROM payments.received WHERE received_msat IS NULL AND expire_at < ?")) {
              statement.setTimestamp(1, new Timestamp(System.currentTimeMillis()));
              return statement.executeUpdate();
            }
          });
    }

    private static List<Invoice> invoices(PreparedStatement statement) throws SQLException {
      List<Invoice> invoices = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) invoices.add(Invoice.parse(row.getString("payment_request")));
      }
      return invoices;
    }
  }

  /** The keys are payment hashes. */
  record InMemory(Map<String, Invoice> invoices) implements Payments {
    InMemory() {
      this(new ConcurrentSkipListMap<>());
    }

    @Override
    public void add(Invoice invoice, byte[] preimage) {
      invoices.put(invoice.paymentHash(), invoice);
    }

    @Override
    public Invoice get(String paymentHash) {
      return invoices.get(paymentHash);
    }

    @Override
    public List<Invoice> list(long from, long to) {
      return invoices.values().stream()
          .filter(invoice -> invoice.timestamp() > from && invoice.timestamp() < to)
          .toList();
    }

    @Override
    public void purge() {
      long now = System.currentTimeMillis() / 1000;
      invoices.values().removeIf(invoice -> invoice.timestamp() + invoice.expiry() < now);
    }
  }
}
