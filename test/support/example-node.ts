/** An example of `config new` after a user replaced the words in capitals. */
export function filledExample(text: string): string {
  return text
    .replaceAll("REGION", "eu-west-1")
    .replaceAll("RDS-SECRET-ARN", "rds!db-1")
    .replaceAll("CLUSTER", "demo")
    .replaceAll("02…", `02${"ab".repeat(32)}`);
}
