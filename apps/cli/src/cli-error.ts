/** Something that the user can put right. Its message says what and how, in one sentence; no stack trace is shown. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
