import type { Reporter, TestCase, TestSuite } from "vitest/node";

/**
 * Prints the errors of a failed test as soon as the test ends. vitest prints them at the end of the run, which an interrupted
 * run does not reach.
 */
export class FailuresAtOnce implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state === "failed") print(test.fullName, result.errors);
  }

  onTestSuiteResult(suite: TestSuite): void {
    print(suite.fullName, suite.errors());
  }
}

function print(name: string, errors: readonly { readonly message: string; readonly stack?: string }[]): void {
  for (const { message, stack = message } of errors) console.error(`failed: ${name}\n${stack}`);
}
