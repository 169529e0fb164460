import Table from "cli-table3";

/**
 * Creates a table without colour. The default style of cli-table3 colours headings and borders, also without a terminal and
 * with NO_COLOR.
 */
export function createTable(head: readonly string[]): Table.Table {
  return new Table({ head: [...head], style: { head: [], border: [] } });
}
