/** A command of a fake AWS client, which records the name and the input. */
export type FakeCommand = { readonly name: string; readonly input: Record<string, unknown> };

/** The class of a command: a fake client reads the name and the input of its instances. */
export function fakeCommand(name: string): new (input: FakeCommand["input"]) => FakeCommand {
  return class {
    readonly name = name;
    readonly input: FakeCommand["input"];
    constructor(input: FakeCommand["input"]) {
      this.input = input;
    }
  };
}
